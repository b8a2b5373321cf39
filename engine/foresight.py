"""What each step of a generator's ladder is expected to bring, by trees over all that is known of a query.

A linear policy sees each feature by itself; trees also tell that a short query by a new user which no name is
near wants something else than any of these alone. What they expect is one more feature of each step,
which the policy weighs (He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at
Facebook", section 3: boosted trees before a linear learner). Trees have seen only searches before the
chunk that the policy learns from, so that it learns how far they are to be trusted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.boosting import Trees

Floats = NDArray[np.float64]

WINDOW = 10_000
"""Searches that the trees are grown from, the latest."""
LEAST = 200
"""Searches from which on there are trees."""
GROWN = 0.2
"""Share of the window that is new before they are grown again."""
RATES = slice(1, 4)
"""Columns of `PlanStatistics.action_features` that tell what kinds, users and queries found."""


class Foresight:
    """For s generators on a ladder of L depths. What changes is replaced: a `copy.copy` stays as it is."""

    def __init__(self, s: int, rungs: int) -> None:
        self._shape = (s, rungs)
        self._rows: NDArray[np.float32] | None = None
        self._found = np.empty((0, s * (rungs - 1)), np.float32)
        self._new = 0
        self._trees: Trees | None = None

    def rows(self, x: Floats, at_most: Floats, actions: Floats) -> NDArray[np.float32]:
        """Shape (f,): what trees see of a query; `x` (d,), `at_most` (s,), `actions` (s, L, a)."""
        counts = np.where(np.isfinite(at_most), np.log1p(np.minimum(at_most, 100.0)), -1.0)
        rates = actions[:, 1:, RATES].cumsum(axis=1)[:, ::2]
        return np.concatenate([x, counts, rates.ravel()]).astype(np.float32)

    def beside(self, x: Floats, at_most: Floats, actions: Floats) -> Floats:
        """`actions` with one more column: the share of the clicked items that each step is expected to add,
        0 without trees."""
        s, rungs = self._shape
        steps = np.zeros((s, rungs, 1))
        if self._trees is not None:
            found = self._trees(self.rows(x, at_most, actions)).reshape(s, rungs - 1)
            steps[:, 1:, 0] = np.diff(found, axis=1, prepend=0.0)
        return np.concatenate([actions, steps], axis=2)

    def observe(
        self,
        rows: NDArray[np.float32],
        found: Floats,
        rng: np.random.Generator,
    ) -> None:
        """Take in searches, at least one: what trees see of them (n, f), and the share of the clicked items that each
        rung brought (n, s, L)."""
        s, rungs = self._shape
        shares = np.clip(found[:, :, 1:], 0.0, 1.0).reshape(len(rows), s * (rungs - 1))
        known = rows[:0] if self._rows is None else self._rows
        self._rows = np.concatenate([known, rows])[-WINDOW:]
        self._found = np.concatenate([self._found, shares.astype(np.float32)])[-WINDOW:]
        self._new += len(rows)
        size = len(self._rows)
        if size >= LEAST and (self._trees is None or self._new >= GROWN * size):
            self._trees, self._new = Trees.grown(self._rows, self._found, rng), 0

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        if self._rows is not None:
            arrays = {"rows": self._rows, "found": self._found, "new": np.array(self._new)}
            np.savez(folder / "searches.npz", allow_pickle=False, **arrays)
        if self._trees is not None:
            np.savez(folder / "trees.npz", allow_pickle=False, **self._trees.arrays())

    @classmethod
    def load(cls, folder: Path, s: int, rungs: int) -> Self:
        """Read what `save` wrote."""
        foresight = cls(s, rungs)
        if (folder / "searches.npz").is_file():
            with np.load(folder / "searches.npz", allow_pickle=False) as arrays:
                foresight._rows, foresight._found = arrays["rows"], arrays["found"]
                foresight._new = int(arrays["new"])
        if (folder / "trees.npz").is_file():
            with np.load(folder / "trees.npz", allow_pickle=False) as arrays:
                foresight._trees = Trees(**arrays)
        return foresight
