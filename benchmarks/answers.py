"""What a system answered to many searches, as a few arrays that can be written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """`docs`, `scores`: the page, best first; `recall`: share of the wanted rows among the
    candidates; `depths` (s,): what was asked, whose sum is drawn."""

    docs: Docs
    scores: NDArray[np.float32]
    recall: float
    candidates: int
    depths: NDArray[np.int32]
    ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """`Answered` of n searches: `docs` (n, k), -1 beyond the end of a page; `scores` (n, k); `recall`,
    `candidates`, `ms` (n,); `depths` (n, s)."""

    docs: NDArray[np.int32]
    scores: NDArray[np.float32]
    recall: NDArray[np.float64]
    candidates: NDArray[np.int32]
    depths: NDArray[np.int32]
    ms: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.docs.shape[0])

    def page(self, place: int) -> tuple[Docs, NDArray[np.float32]]:
        """(rows, scores) of one search, best first."""
        size = int((self.docs[place] >= 0).sum())
        return self.docs[place, :size], self.scores[place, :size]

    @classmethod
    def of(cls, made: Sequence[Answered], k: int, asked: int) -> Self:
        """Pages of at most k; `asked`: length of `depths`."""
        docs = np.full((len(made), k), -1, np.int32)
        scores = np.zeros((len(made), k), np.float32)
        depths = np.zeros((len(made), asked), np.int32)
        for place, one in enumerate(made):
            docs[place, : one.docs.size] = one.docs
            scores[place, : one.docs.size] = one.scores
            depths[place] = one.depths
        return cls(
            docs=docs,
            scores=scores,
            recall=np.array([one.recall for one in made], np.float64),
            candidates=np.array([one.candidates for one in made], np.int32),
            depths=depths,
            ms=np.array([one.ms for one in made], np.float64),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One after the other."""
        return cls(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)}
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """{field: array}, the inverse of the constructor."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what was written of `arrays`."""
        with np.load(path, allow_pickle=False) as data:
            return cls(**{f.name: data[f.name] for f in fields(cls)})
