"""Estimators of a target policy's value: what each round contributes.

With w the importance weight, r the reward, q the model's reward of what was done and e its mean
under the target policy, a round contributes

    replay   r where accepted                    (Li et al. 2011, arXiv 1003.5956)
    dm       e                                   the direct method: the model alone
    ips      w r                                 (Horvitz and Thompson 1952)
    snips    w r, over the sum of w              (Swaminathan and Joachims 2015)
    dr       w (r - q) + e                       (Dudík et al. 2011, arXiv 1103.4601)
    switch   dr with w set to 0 above λ          (Wang et al. 2017, arXiv 1612.01205)
    dros     dr with w λ / (w² + λ) for w        (Su et al. 2020, arXiv 1907.09623)

summed over the parts of the round. Over positions, ips is IIPS (Li et al. 2018, arXiv 1804.10488);
over a cascade it is RIPS (McInerney et al. 2020, arXiv 2007.12986) and dr is Cascade-DR (Kiyohara
et al. 2022, arXiv 2202.01562), in which the model's part at a position carries the weight of the
positions above it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bandit.base import Floats
from bandit.ope_evidence import Evidence, Ids

SETTINGS: Final = 25
"""How many values of λ are tried, between the smallest and the largest weight."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """An estimate as a sum of ratios: Σ_j Σ_t numerators[t, j] / Σ_t denominators[t, j].

    Both (n, k). Where every denominator is 1 the estimate is a mean (`is_mean`). `setting`: the λ
    of switch and dros, and `unbiased` the terms of dr beside them: shrinking hides its own bias,
    so how far off such an estimate may be is read from dr.
    """

    numerators: Floats
    denominators: Floats
    is_mean: bool
    setting: float | None = None
    unbiased: Terms | None = None

    @property
    def value(self) -> float:
        """The estimate; NaN where a denominator sums to 0 (nothing was accepted)."""
        below = self.denominators.sum(axis=0)
        if (below == 0).any():
            return float("nan")
        return float((self.numerators.sum(axis=0) / below).sum())

    def minus(self, other: Terms) -> Terms:
        """The difference of two estimates from the same rounds, paired round by round."""
        if self.numerators.shape[0] != other.numerators.shape[0]:
            raise ValueError(
                f"terms: found {other.numerators.shape[0]} rounds, expected "
                f"{self.numerators.shape[0]}: a difference needs the same rounds on both sides"
            )
        sides = (self.unbiased or self, other.unbiased or other)
        unbiased = None if sides == (self, other) else sides[0].minus(sides[1])
        if self.is_mean and other.is_mean:
            apart = _mean(self.numerators.sum(axis=1) - other.numerators.sum(axis=1))
            return replace(apart, setting=self.setting, unbiased=unbiased)
        return Terms(
            np.hstack([self.numerators, -other.numerators]),
            np.hstack([self.denominators, other.denominators]),
            is_mean=False,
        )

    def together(self, draws: Ids) -> Terms:
        """Rounds of one draw (n,) as one, so that what is resampled is independent."""
        if np.unique(draws).size == draws.size:
            return self
        return replace(
            self,
            numerators=summed(self.numerators, draws),
            denominators=summed(self.denominators, draws),
            is_mean=False,
            unbiased=None if self.unbiased is None else self.unbiased.together(draws),
        )


def summed(values: Floats, draws: Ids) -> Floats:
    """Shape (draws, k): sums of the rows (n, k) of each draw."""
    _, place = np.unique(draws, return_inverse=True)
    sums = np.zeros((int(place.max()) + 1, values.shape[1]))
    np.add.at(sums, place.ravel(), values)
    return sums


def logged(evidence: Evidence) -> Terms:
    """The value of the logging policy: the mean reward of a round as it was."""
    return _mean(evidence.rewards.sum(axis=1))


def replay(evidence: Evidence, seed: int = 0) -> Terms:
    """Rejection sampling: each part of a round accepted with probability w / max w.

    What is accepted is distributed as under the target policy; with a deterministic target and a
    uniform log these are the rounds on which the two agree.
    """
    most = evidence.weights.max(axis=0)
    draws = np.random.default_rng(seed).random(evidence.weights.shape)
    accepted = (draws * np.where(most > 0, most, 1.0) < evidence.weights).astype(np.float64)
    return Terms(accepted * evidence.rewards, accepted, is_mean=False)


def direct(evidence: Evidence) -> Terms:
    """The model alone: no weights, and no better than the model."""
    if evidence.kind == "cascade":
        return _mean(evidence.expected[:, 0])
    return _mean(evidence.expected.sum(axis=1))


def ips(evidence: Evidence) -> Terms:
    """Unbiased where the log tried whatever the target does."""
    return _mean((evidence.weights * evidence.rewards).sum(axis=1))


def snips(evidence: Evidence) -> Terms:
    """Slightly biased, but within the range of the rewards and usually less variable than ips."""
    return Terms(evidence.weights * evidence.rewards, evidence.weights, is_mean=False)


def doubly_robust(evidence: Evidence) -> Terms:
    """Unbiased whatever the model, as ips is; the better the model, the less variable."""
    return _robust(evidence, evidence.weights)


def switch(evidence: Evidence, threshold: float | None = None) -> Terms:
    """dr that trusts the model alone above a weight of `threshold` (None: tuned on the data)."""
    return _tuned(evidence, lambda w, level: np.where(w <= level, w, 0.0), threshold, power=1)


def shrunk(evidence: Evidence, strength: float | None = None) -> Terms:
    """dr with optimistic shrinkage; `strength` 0 is dm, infinity dr (None: tuned on the data)."""
    return _tuned(
        evidence,
        lambda w, level: w if np.isinf(level) else w * level / np.maximum(w * w + level, 1e-300),
        strength,
        power=2,
    )


ESTIMATORS: Final[dict[str, Callable[[Evidence], Terms]]] = {
    "replay": replay,
    "dm": direct,
    "ips": ips,
    "snips": snips,
    "dr": doubly_robust,
    "switch": switch,
    "dros": shrunk,
}


def _robust(evidence: Evidence, weights: Floats) -> Terms:
    carried = np.ones_like(weights)
    if evidence.kind == "cascade":
        carried[:, 1:] = weights[:, :-1]
    residuals = evidence.rewards - evidence.predicted
    return _mean((weights * residuals + carried * evidence.expected).sum(axis=1))


def _tuned(
    evidence: Evidence,
    limited: Callable[[Floats, float], Floats],
    setting: float | None,
    power: int,
) -> Terms:
    """The λ of least estimated error: variance, plus squared bias against dr.

    The squared mean difference to dr overstates the squared bias by its own variance, which is
    taken off (not below 0).
    """
    unbiased = _robust(evidence, evidence.weights)
    if setting is not None:
        if not setting >= 0.0:
            raise ValueError(f"setting: found {setting}, expected a number of at least 0")
        terms = _robust(evidence, limited(evidence.weights, setting))
        return replace(terms, setting=setting, unbiased=unbiased)
    n = len(evidence)
    full = unbiased.numerators[:, 0]
    best, best_error, best_setting = unbiased, float(full.var()) / n, float("inf")
    above = evidence.weights[evidence.weights > 0]
    levels = np.geomspace(above.min(), above.max(), SETTINGS) ** power if above.size else above
    for level in levels:
        terms = _robust(evidence, limited(evidence.weights, float(level)))
        values = terms.numerators[:, 0]
        apart = values - full
        bias = max(float(apart.mean()) ** 2 - float(apart.var()) / n, 0.0)
        error = float(values.var()) / n + bias
        if error < best_error:
            best, best_error, best_setting = terms, error, float(level)
    return replace(best, setting=best_setting, unbiased=unbiased)


def _mean(values: Floats) -> Terms:
    return Terms(values[:, None], np.ones((values.size, 1)), is_mean=True)
