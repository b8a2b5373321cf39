"""Clicks counted by pair and position: what a log says of items that were shown again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rankers.base import Features, Floats, Judged


@dataclass(frozen=True, slots=True, eq=False)
class Exposures:
    """n pairs of a query and a document, grouped by query.

    `features` (n, d); `queries` (n,) ascending: the query of each pair; `shown`, `clicks` (n, p): how
    often the pair was shown at each position of a page of p, and clicked there. A pair that was never
    shown has zeros.
    """

    features: Features
    queries: NDArray[np.int64]
    shown: Floats
    clicks: Floats

    def __post_init__(self) -> None:
        n = self.features.shape[0]
        if self.queries.shape != (n,):
            raise ValueError(f"queries: found shape {self.queries.shape}, expected ({n},)")
        if (np.diff(self.queries) < 0).any():
            raise ValueError("queries: found a descent, expected the pairs grouped by query")
        if (
            self.shown.ndim != 2
            or self.shown.shape[0] != n
            or self.clicks.shape != self.shown.shape
        ):
            raise ValueError(
                f"shown, clicks: found shapes {self.shown.shape} and {self.clicks.shape}, expected "
                f"({n}, positions) both"
            )
        if (self.clicks > self.shown).any() or (self.clicks < 0).any():
            raise ValueError("clicks: expected between 0 and `shown` everywhere")

    @classmethod
    def of(
        cls,
        judged: Judged,
        queries: NDArray[np.int64],
        documents: NDArray[np.int64],
        positions: int = 10,
    ) -> Self:
        """Counts of the impressions `judged`; a label above 0 is a click.

        `queries` (q,): which query each impression answers; `documents` (n,): the document of each
        row. A pair has the features of its latest row. Rows shown below `positions` count as not
        shown.
        """
        if queries.shape != (judged.queries,) or documents.shape != judged.labels.shape:
            raise ValueError(
                f"queries, documents: found shapes {queries.shape} and {documents.shape}, expected "
                f"({judged.queries},) and {judged.labels.shape}"
            )
        of_row = np.repeat(queries, np.diff(judged.starts))
        keys = np.stack([of_row, documents], axis=1)
        distinct, row = np.unique(keys, axis=0, return_inverse=True)
        row = row.reshape(-1)
        latest = np.zeros(len(distinct), np.int64)
        np.maximum.at(latest, row, np.arange(row.size))
        seen = (judged.positions > 0) & (judged.positions <= positions)
        cell = row[seen] * positions + judged.positions[seen] - 1
        size = len(distinct) * positions
        shown = np.bincount(cell, minlength=size).astype(np.float64)
        clicks = np.bincount(cell, judged.labels[seen] > 0, size)
        return cls(
            judged.features[latest],
            distinct[:, 0].astype(np.int64),
            shown.reshape(-1, positions),
            np.asarray(clicks, np.float64).reshape(-1, positions),
        )

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Shape (n,): which pairs were shown at all."""
        return np.asarray(self.shown.any(axis=1))

    @property
    def usual(self) -> NDArray[np.int32]:
        """Shape (n,): the position a pair was shown at most often, 1 = top, 0 = never shown."""
        return np.where(self.seen, self.shown.argmax(axis=1) + 1, 0).astype(np.int32)

    def plus(self, other: Exposures) -> Exposures:
        """With the counts of another log of the same pairs."""
        return Exposures(
            self.features, self.queries, self.shown + other.shown, self.clicks + other.clicks
        )

    def part(self, kept: NDArray[np.bool_]) -> Exposures:
        """The pairs `kept` (n,)."""
        return Exposures(
            self.features[kept], self.queries[kept], self.shown[kept], self.clicks[kept]
        )

    def judged(self, labels: Floats, kept: NDArray[np.bool_], *, positions: bool = False) -> Judged:
        """The pairs `kept` (n,) as rows to train on with these labels (n,), at their usual positions
        where `positions`, else at none."""
        _, sizes = np.unique(self.queries[kept], return_counts=True)
        count = int(kept.sum())
        return Judged(
            self.features[kept],
            labels[kept],
            np.ones(count),
            self.usual[kept] if positions else np.zeros(count, np.int32),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        )
