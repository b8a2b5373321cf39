"""Whether a log can answer at all: how much of it speaks about the target policy."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from bandit.ope_evidence import Evidence


@dataclass(frozen=True, slots=True)
class Support:
    """How far the weights lean on few rounds; over several parts, the worst part.

    `effective`: Kish's effective sample size (Σw)² / Σw²; `rewarded`: the same over w·r, the
    effective number of rounds with a reward; `largest`: weight; `mean_weight`: 1 in expectation
    where log and target share all actions; `mean_weight_error`: its standard error;
    `unsupported`: share of the target's actions that the log never tried.
    """

    rounds: int
    effective: float
    rewarded: float
    largest: float
    mean_weight: float
    mean_weight_error: float
    unsupported: float

    def to_json(self) -> dict[str, float]:
        """Its fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a log must offer before a number is given.

    The standard error of an estimate is about 1/√rewarded of it, so fewer than 10 leave it open
    by a third either way; below 100 effective rounds intervals cover less than they promise.
    Weights whose mean is further than `mean_weight_errors` from 1 say that propensities are wrong
    or that actions lack support.
    """

    effective: float = 100.0
    rewarded: float = 10.0
    unsupported: float = 0.01
    mean_weight_errors: float = 4.0

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
        return tuple(reasons)


def support(evidence: Evidence) -> Support:
    """What the weights of this evidence rest on."""
    weights = evidence.weights
    n = len(evidence)
    means = weights.mean(axis=0)
    errors = weights.std(axis=0) / np.sqrt(n)
    furthest = int(np.argmax(np.abs(means - 1.0) / np.maximum(errors, 1e-12)))
    return Support(
        rounds=n,
        effective=min(_kish(weights[:, part]) for part in range(weights.shape[1])),
        rewarded=_kish((weights * np.abs(evidence.rewards)).sum(axis=1)),
        largest=float(weights.max()),
        mean_weight=float(means[furthest]),
        mean_weight_error=float(errors[furthest]),
        unsupported=evidence.unsupported,
    )


def _kish(weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    squares = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0
