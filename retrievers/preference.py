"""A conditional logit model, learnt as choices arrive: which of the candidates was wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Features

Floats = NDArray[np.float64]
_STEPS = 25
_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True, eq=False)
class Preference:
    """P(item | candidates) ∝ exp(w·x) (McFadden 1974), with a Gaussian belief about w.

    `weights` (f,): its mean; `precision` (f, f): its inverse covariance. A batch is taken in by
    Laplace's approximation: the mean moves to the posterior mode, the curvature there is added.
    """

    weights: Floats
    precision: Floats

    @classmethod
    def prior(cls, weights: Floats, precision: float) -> Self:
        """A belief in which each weight has the standard deviation 1 / √precision."""
        return cls(weights, np.eye(weights.size) * precision)

    def score(self, x: Features) -> NDArray[np.float32]:
        """w·x of each row; shape (n,)."""
        return x @ self.weights.astype(np.float32)

    def after(
        self, x: Features, chosen: NDArray[np.bool_], starts: NDArray[np.int64], keep: float
    ) -> Preference:
        """The belief after a batch of choices.

        `x` (n, f): candidates, grouped; `chosen` (n,); `starts` (q,): where groups begin. Each
        group with a chosen row counts as one choice, shared evenly among its chosen rows. Before,
        the old belief is weakened to the share `keep` in (0, 1] of its precision.
        """
        sizes = np.diff(np.append(starts, chosen.size))
        clicks = np.add.reduceat(chosen, starts, dtype=np.float64)
        told = np.repeat(clicks > 0, sizes)
        if not told.any():
            return self
        rows = x[told].astype(np.float64)
        sizes = sizes[clicks > 0]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        target = chosen[told] / np.repeat(clicks[clicks > 0], sizes)
        prior = self.precision * keep

        def loss(w: Floats) -> tuple[float, Floats]:
            scores = rows @ w
            scores -= np.repeat(np.maximum.reduceat(scores, starts), sizes)
            odds = np.exp(scores)
            sums = np.add.reduceat(odds, starts)
            step = w - self.weights
            fit = np.log(sums).sum() - target @ scores
            return float(fit + 0.5 * step @ prior @ step), odds / np.repeat(sums, sizes)

        w = self.weights
        value, p = loss(w)
        for _ in range(_STEPS):
            gradient = rows.T @ (p - target) + prior @ (w - self.weights)
            step = np.linalg.solve(self._curvature(rows, p, starts) + prior, gradient)
            rate = 1.0
            while rate > 1e-4 and loss(w - rate * step)[0] > value:
                rate /= 2
            moved, p_moved = loss(w - rate * step)
            if moved >= value - 1e-9 * (1 + abs(value)):
                break
            w, value, p = w - rate * step, moved, p_moved
        return Preference(w, prior + self._curvature(rows, p, starts))

    @staticmethod
    def _curvature(rows: Floats, p: Floats, starts: NDArray[np.int64]) -> Floats:
        weighted = rows * p[:, None]
        means = np.add.reduceat(weighted, starts, axis=0)
        curvature: Floats = rows.T @ weighted - means.T @ means
        return curvature


def spread(choices: Sequence[_Choice], n: int) -> Sequence[_Choice]:
    """At most n of them, evenly spaced."""
    if len(choices) <= n:
        return choices
    return [choices[i] for i in np.linspace(0, len(choices) - 1, n).astype(int).tolist()]
