"""Off-policy evaluation: what another policy would have earned on this log, and how surely.

    evidence = weighed(rewards, propensities, target)        # or of_actions, of_plans, of_list
    for estimate in evaluate(evidence):
        estimate.value, estimate.low, estimate.high          # None where the log cannot say

Rounds are taken as independent, but those that `draws` says share one draw. The log's propensities are taken as true: no estimator can tell
that they are not, but weights that do not average 1 give most errors away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bandit.ope_estimators import ESTIMATORS, Terms, logged
from bandit.ope_evidence import Evidence, Ids, Kind, weighed
from bandit.ope_feedback import Feedback, of_actions
from bandit.ope_intervals import Interval, bootstrap, empirical_bernstein
from bandit.ope_list import of_list
from bandit.ope_model import crossfitted_rewards
from bandit.ope_plans import of_plans
from bandit.ope_support import Requirements, Support, support

__all__ = [
    "ESTIMATORS",
    "Estimate",
    "Evidence",
    "Feedback",
    "Requirements",
    "Support",
    "bootstrap",
    "crossfitted_rewards",
    "empirical_bernstein",
    "evaluate",
    "of_actions",
    "of_list",
    "of_plans",
    "support",
    "weighed",
]


NEED_A_MODEL = frozenset({"dm", "dr", "switch", "dros"})


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimator's answer, or why there is none.

    `value`, `low` and `high` (studentised bootstrap at `level`) and `bernstein` are None where
    `reasons` says why the log cannot support the answer. `bernstein` alone is None where its
    theorem does not apply, and dm has a value but no interval: its error is the model's, of which
    the spread of the rounds says nothing. Those of switch and dros are those of dr, widened to
    hold the value: they shrink the variance for a bias that only dr can bound. `weights`: whose propensity was used. `setting`: λ of switch and dros. `gain`: whether
    `value` is a difference to another policy rather than a value.
    """

    estimator: str
    weights: Kind
    gain: bool
    level: float
    value: float | None
    low: float | None
    high: float | None
    bernstein: Interval | None
    setting: float | None
    support: Support
    reasons: tuple[str, ...]

    @property
    def supported(self) -> bool:
        """Whether the log can answer."""
        return not self.reasons

    def to_json(self) -> dict[str, Any]:
        """Plain types; an infinite setting (no limit on the weights) as None."""
        finite = self.setting is not None and np.isfinite(self.setting)
        return {
            "estimator": self.estimator,
            "weights": self.weights,
            "gain": self.gain,
            "level": self.level,
            "supported": self.supported,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "bernstein": None if self.bernstein is None else list(self.bernstein),
            "setting": self.setting if finite else None,
            "support": self.support.to_json(),
            "reasons": list(self.reasons),
        }


def evaluate(
    evidence: Evidence,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    *,
    against: Evidence | None = None,
    against_log: bool = False,
    draws: Ids | None = None,
    level: float = 0.95,
    width: float | None = None,
    requirements: Requirements | None = None,
    seed: int = 0,
) -> list[Estimate]:
    """The target policy's value per round by each estimator, with intervals at `level`.

    `draws` (n,): which random draw of the logging policy decided the round, where several share one
    (equal searches may be given equal plans): they count as one in intervals and in what the log
    supports, and empirical Bernstein is left out. None: each has its own.

    With `against_log` the gain over the logging policy, with `against` that over another target on
    the same rounds, both paired round by round. `width`: the range of an ips term, which is the
    largest weight there can be times the range of the reward; it makes the empirical Bernstein
    interval of ips exact (None, and the others: the range seen). Estimators without a model behind them (all `expected` 0)
    are left out where they need one (dm, dr, switch, dros).
    """
    if against is not None and against_log:
        raise ValueError("against and against_log: found both, expected one at most")
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown:
        raise ValueError(f"estimators: found {unknown}, expected names of {list(ESTIMATORS)}")
    demands = Requirements() if requirements is None else requirements
    sides = [evidence] if against is None else [evidence, against]
    supports = [support(side, draws) for side in sides]
    reasons = tuple(reason for one in supports for reason in demands.unmet(one))
    return [
        _estimate(
            name,
            _terms(name, evidence, against, against_log, draws),
            evidence.kind,
            gain=against is not None or against_log,
            level=level,
            width=width if name == "ips" and against is None else None,
            rests_on=supports[0],
            reasons=reasons,
            seed=seed,
        )
        for name in estimators
        if _has_model(evidence) or name not in NEED_A_MODEL
    ]


def _holding(value: float, interval: Interval | None) -> Interval | None:
    """The interval, widened where it does not hold the value."""
    return None if interval is None else (min(interval[0], value), max(interval[1], value))


def _has_model(evidence: Evidence) -> bool:
    return bool(evidence.expected.any() or evidence.predicted.any())


def _terms(
    name: str,
    evidence: Evidence,
    against: Evidence | None,
    against_log: bool,
    draws: Ids | None,
) -> Terms:
    terms = ESTIMATORS[name](evidence)
    if against_log:
        terms = terms.minus(logged(evidence))
    elif against is not None:
        terms = terms.minus(ESTIMATORS[name](against))
    return terms if draws is None else terms.together(draws)


def _estimate(
    name: str,
    terms: Terms,
    kind: Kind,
    *,
    gain: bool,
    level: float,
    width: float | None,
    rests_on: Support,
    reasons: tuple[str, ...],
    seed: int,
) -> Estimate:
    interval = bernstein = None
    if not reasons and name != "dm":
        spread = terms.unbiased or terms
        interval = _holding(terms.value, bootstrap(spread, level, seed))
        bernstein = _holding(terms.value, empirical_bernstein(spread, level, width))
        if interval is None:
            bernstein = None
            reasons = ("the rounds do not vary enough to say how far off an estimate would be",)
    low, high = (None, None) if interval is None else interval
    return Estimate(
        estimator=name,
        weights=kind,
        gain=gain,
        level=level,
        value=None if reasons else terms.value,
        low=low,
        high=high,
        bernstein=bernstein,
        setting=terms.setting,
        support=rests_on,
        reasons=reasons,
    )
