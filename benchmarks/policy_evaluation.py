"""What another policy would have earned on a log, by every estimator, or why nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bandit.ope import ESTIMATORS, Estimate, Evidence, bootstrap, evaluate, weighed
from bandit.ope_estimators import logged
from benchmarks.policy_actions import is_open_bandit, read_actions
from benchmarks.policy_log import LEARNT, read_index, read_ubi
from benchmarks.policy_targets import target_of
from engine.counterfactual import evidences
from engine.errors import BadInput
from engine.formats import QUERIES
from engine.snapshots import CURRENT

PREFERRED: Final = ("dr", "dros", "switch", "snips", "ips", "replay", "dm")
"""Which estimate is the answer where several are supported: the steadiest that has an interval."""
PLAN: Final = "plan"
ITEM: Final = "item"


@dataclass(frozen=True, slots=True)
class Measured:
    """A mean reward as it was earned, with its 95% interval; None where nothing varies."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Estimated:
    """One estimator's answer: the target's `value`, and its `gain` over the policy that made the log."""

    value: Estimate
    gain: Estimate

    def to_json(self) -> dict[str, Any]:
        """The value's fields, with the gain's under `difference`."""
        found = self.value.to_json()
        del found["gain"]
        gain = self.gain
        found["difference"] = {"value": gain.value, "low": gain.low, "high": gain.high}
        return found


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What a log says of a target policy.

    `rounds`: searches, or items shown, that count; `left_out`: how many do not, by reason; `logging`: what the
    policy that made the log earned; `own`: what the target earned on a log of its own, where there
    is one; `reasons`: why there are no estimates at all.
    """

    log: Path
    target: str
    action: str
    rounds: int
    left_out: Mapping[str, int]
    logging: Measured | None
    own: Measured | None
    estimates: tuple[Estimated, ...]
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def answer(self) -> Estimated | None:
        """The estimate to go by; None where the log cannot tell.

        By whole plans where that is supported, else by each generator's own depth.
        """
        supported = [one for one in self.estimates if one.value.supported]
        order = {name: place for place, name in enumerate(PREFERRED)}
        kinds = [one.value.weights for one in self.estimates]
        return min(
            supported,
            key=lambda one: (kinds.index(one.value.weights), order[one.value.estimator]),
            default=None,
        )

    @property
    def why_not(self) -> tuple[str, ...]:
        """Why the log cannot tell, each reason once."""
        found = [reason for one in self.estimates for reason in one.value.reasons]
        return self.reasons or tuple(dict.fromkeys(found))

    def to_json(self) -> dict[str, Any]:
        """Plain types; every number that the log cannot support is None."""
        answer = self.answer
        return {
            "log": str(self.log),
            "target": self.target,
            "action": self.action,
            "rounds": self.rounds,
            "left_out": dict(self.left_out),
            "logging": _to_json(self.logging),
            "own_log": _to_json(self.own),
            "answer": None if answer is None else answer.to_json(),
            "reasons": [] if answer else list(self.why_not),
            "estimates": [one.to_json() for one in self.estimates],
            "notes": list(self.notes),
        }


def evaluate_policy(
    log: Path,
    target: str,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    *,
    seed: int = 0,
) -> PolicyReport:
    """Estimate what `target` would have earned on `log`.

    `log`: the folder of an index, of UBI files with propensities, or of Open Bandit data. `target`: see
    `policy_targets.FORMS` and `policy_actions.read_actions`. A saved policy is asked only about
    searches that it was not learnt from: of the others it knows what was clicked.
    """
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown or not estimators:
        raise BadInput(f"--estimators: found {unknown}, expected names of {', '.join(ESTIMATORS)}")
    if not log.is_dir():
        raise BadInput(f"{log}: no such folder; expected a log")
    is_index = (log / CURRENT).is_file()
    if not is_index and not any((log / name).is_file() for name in QUERIES):
        if not is_open_bandit(log):
            raise BadInput(
                f"{log}: found no log, expected an index, {QUERIES[0]} or an Open Bandit campaign"
            )
        actions = read_actions(log, target)
        return PolicyReport(
            log=actions.log,
            target=target,
            action=ITEM,
            rounds=len(actions.evidence),
            left_out={},
            logging=_mean(actions.evidence.rewards.sum(axis=1), seed),
            own=None if actions.own is None else _mean(actions.own, seed),
            estimates=_estimated([actions.evidence], estimators, seed),
            notes=actions.notes,
        )
    policy = target_of(target, log if is_index else None)
    plans = read_index(log) if is_index else read_ubi(log)
    plans = plans.without(policy.learnt)
    served = policy.fit(plans.served)
    reasons: tuple[str, ...] = ()
    estimates: tuple[Estimated, ...] = ()
    if len(served):
        found = evidences(served, policy.plays(served))
        estimates = _estimated(found, estimators, seed, served.draws)
    else:
        count = plans.left_out.get(LEARNT, 0)
        reasons = (
            f"the target was learnt from all {count:,} searches of the log that have a plan, and knows "
            "what was clicked in them",
        )
    return PolicyReport(
        log=log,
        target=policy.name,
        action=PLAN,
        rounds=len(served),
        left_out=plans.left_out,
        logging=_mean(served.rewards, seed, served.draws) if len(served) else None,
        own=None,
        estimates=estimates,
        reasons=reasons,
        notes=(*policy.notes, *plans.notes),
    )


def _estimated(
    evidence: Sequence[Evidence],
    estimators: Sequence[str],
    seed: int,
    draws: NDArray[np.int64] | None = None,
) -> tuple[Estimated, ...]:
    return tuple(
        Estimated(value, gain)
        for one in evidence
        for value, gain in zip(
            evaluate(one, estimators, draws=draws, seed=seed),
            evaluate(one, estimators, against_log=True, draws=draws, seed=seed),
            strict=True,
        )
    )


def _mean(
    rewards: NDArray[np.float64], seed: int, draws: NDArray[np.int64] | None = None
) -> Measured:
    ones = np.ones(rewards.size)
    terms = logged(weighed(rewards, ones, ones))
    terms = terms if draws is None else terms.together(draws)
    low, high = bootstrap(terms, seed=seed) or (None, None)
    return Measured(terms.value, low, high)


def _to_json(found: Measured | None) -> dict[str, float | None] | None:
    return None if found is None else {"value": found.value, "low": found.low, "high": found.high}
