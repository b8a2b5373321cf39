"""Paired bootstrap over users, and Holm's correction for many comparisons."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
REPLICATES = 1000
LEVEL = 0.95
BLOCK = 100
"""Replicates whose weights are held at a time."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with its interval; `p`: two-sided, before correction."""

    mean: float
    interval: tuple[float, float]
    p: float


class Bootstrap:
    """Resamples clusters, such as users, with replacement; the same draws for every system, so that
    differences are paired. `clusters` names the cluster of each search."""

    def __init__(
        self, clusters: Sequence[Hashable], seed: int, replicates: int = REPLICATES
    ) -> None:
        codes: dict[Hashable, int] = {}
        self._of = np.array([codes.setdefault(c, len(codes)) for c in clusters], np.int64)
        rng = np.random.default_rng(seed)
        n = len(codes)
        self._drawn = np.stack(
            [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(replicates)]
        ).astype(np.float64)
        self._sizes = self._drawn @ np.bincount(self._of, minlength=n)

    def means(self, values: Floats) -> Floats:
        """Shape (replicates,): the mean over searches in each; `values` (searches,)."""
        sums = np.bincount(self._of, values, minlength=self._drawn.shape[1])
        return np.asarray(self._drawn @ sums / self._sizes, np.float64)

    def interval(self, values: Floats) -> tuple[float, float]:
        """Percentile interval of the mean."""
        return _percentiles(self.means(values))

    def difference(self, values: Floats, reference: Floats) -> Difference:
        """Mean of `values` minus that of `reference`, over the same searches."""
        apart = values - reference
        drawn = self.means(apart)
        mean, deviation = float(apart.mean()), float(drawn.std(ddof=1))
        # By the normal law: counting replicates could not tell small p-values apart, and Holm's
        # correction needs them.
        p = math.erfc(abs(mean) / deviation / math.sqrt(2.0)) if deviation > 0 else float(mean == 0)
        return Difference(mean, _percentiles(drawn), p)

    def quantile_interval(self, values: Floats, q: float) -> tuple[float, float]:
        """Percentile interval of a quantile, q in (0, 1)."""
        order = np.argsort(values, kind="stable")
        found = []
        for start in range(0, len(self._drawn), BLOCK):
            weights = self._drawn[start : start + BLOCK][:, self._of[order]].cumsum(axis=1)
            reached = (weights >= q * weights[:, -1:]).argmax(axis=1)
            found.append(values[order[reached]])
        return _percentiles(np.concatenate(found))


def _percentiles(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm, Scandinavian Journal of Statistics 1979), in the order given."""
    adjusted = [0.0] * len(p)
    least = 0.0
    for place, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        least = max(least, min(1.0, p[i] * (len(p) - place)))
        adjusted[i] = least
    return adjusted
