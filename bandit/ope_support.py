"""Whether a log can answer at all: how much of it speaks about the target policy."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from bandit.base import Floats
from bandit.ope_estimators import summed
from bandit.ope_evidence import Evidence, Ids


@dataclass(frozen=True, slots=True)
class Support:
    """How far the weights lean on few rounds; over several parts, the worst part.

    `effective`: Kish's effective sample size (Σw)² / Σw²; `rewarded`: the same over w·r, the
    effective number of rounds with a reward; `largest`: weight; `mean_weight`: 1 in expectation
    where log and target share all actions; `mean_weight_error`: its standard error;
    `unsupported`: share of the target's actions that the log never tried; `split`: share of the reward
    that belongs to one part alone, where parts are weighed apart.
    """

    rounds: int
    effective: float
    rewarded: float
    largest: float
    mean_weight: float
    mean_weight_error: float
    unsupported: float
    split: float = 1.0

    def to_json(self) -> dict[str, float]:
        """Its fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a log must offer before a number is given.

    The standard error of an estimate is about 1/√rewarded of it, so fewer than 10 leave it open
    by a third either way; below 100 effective rounds intervals cover less than they promise.
    Weights whose mean is further than `mean_weight_errors` from 1 say that propensities are wrong
    or that actions lack support. Reward that several parts brought together is divided by a rule, and
    weighing the parts apart is then off by more than any interval says.
    """

    effective: float = 100.0
    rewarded: float = 10.0
    unsupported: float = 0.01
    mean_weight_errors: float = 4.0
    split: float = 0.95

    def unmet(self, support: Support) -> tuple[str, ...]:
        """One sentence for each requirement the log does not meet."""
        reasons = []
        if support.unsupported > self.unsupported:
            reasons.append(
                f"the log never tried {support.unsupported:.1%} of what the target policy does "
                f"(at most {self.unsupported:.1%} allowed)"
            )
        if support.effective < self.effective:
            reasons.append(
                f"the effective sample size is {support.effective:.1f} of {support.rounds} rounds "
                f"(at least {self.effective:g} needed)"
            )
        if support.rewarded < self.rewarded:
            reasons.append(
                f"the effective number of rewarded rounds is {support.rewarded:.1f} "
                f"(at least {self.rewarded:g} needed)"
            )
        distance = abs(support.mean_weight - 1.0)
        if distance > self.mean_weight_errors * support.mean_weight_error + 1e-6:
            reasons.append(
                f"the weights have mean {support.mean_weight:.3f} ± "
                f"{support.mean_weight_error:.3f} where 1 is expected: the propensities are not "
                "those of this log, or the target does what the log cannot"
            )
        if support.split < self.split:
            reasons.append(
                f"{1.0 - support.split:.1%} of the reward was brought by several parts together, so "
                f"that it does not split among them (at most {1.0 - self.split:.1%} allowed)"
            )
        return tuple(reasons)


def support(evidence: Evidence, draws: Ids | None = None) -> Support:
    """What the weights of this evidence rest on.

    `draws` (n,): rounds of one draw of the logging policy count as one (None: each has its own).
    """
    weights, n = evidence.weights, len(evidence)
    means = weights.mean(axis=0)
    rewarded = weights * np.abs(evidence.rewards)
    apart = weights - means
    if draws is not None:
        weights, rewarded, apart = (summed(one, draws) for one in (weights, rewarded, apart))
    errors = np.sqrt((apart * apart).sum(axis=0)) / n
    furthest = int(np.argmax(np.abs(means - 1.0) / np.maximum(errors, 1e-12)))
    return Support(
        rounds=n,
        effective=min(_kish(weights[:, part]) for part in range(weights.shape[1])),
        rewarded=_kish(rewarded.sum(axis=1)),
        largest=float(evidence.weights.max()),
        mean_weight=float(means[furthest]),
        mean_weight_error=float(errors[furthest]),
        unsupported=evidence.unsupported,
        split=evidence.split,
    )


def _kish(weights: Floats) -> float:
    squares = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0
