"""The union of what the generators returned, with who returned what, where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs, Features, Hits

Ranks: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """One row a document, one column a generator; s generators, n documents.

    `sources` name the columns; `depths` (s,): candidates asked of each, 0 = not asked; `docs` (n,):
    distinct rows of the catalogue, ascending; `scores` (n, s): each generator's own, NaN where it
    did not return the document; `ranks` (n, s): from 0 = best, -1 where it did not.
    """

    sources: tuple[str, ...]
    depths: NDArray[np.int32]
    docs: Docs
    scores: Features
    ranks: Ranks

    def __post_init__(self) -> None:
        n, s = self.docs.size, len(self.sources)
        for name, shape in (
            ("depths", (s,)),
            ("docs", (n,)),
            ("scores", (n, s)),
            ("ranks", (n, s)),
        ):
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(
                    f"Candidates.{name}: found shape {found}, expected {shape} "
                    f"for {n} documents and {s} sources"
                )

    def only(self, kept: NDArray[np.bool_]) -> Candidates:
        """Some of the documents, `kept` (n,); ranks and scores stay as the generators gave them."""
        return Candidates(
            self.sources, self.depths, self.docs[kept], self.scores[kept], self.ranks[kept]
        )

    def __len__(self) -> int:
        return int(self.docs.size)


def union(sources: Sequence[str], depths: Sequence[int], hits: Sequence[Hits]) -> Candidates:
    """The distinct documents of all `hits`; `sources`, `depths` and `hits` are of equal length."""
    if not len(sources) == len(depths) == len(hits):
        raise ValueError(
            f"union: found {len(sources)} sources, {len(depths)} depths and {len(hits)} hits, "
            f"expected as many of each; a generator that was not asked takes part with `Hits.none()`"
        )
    drawn = np.concatenate([np.empty(0, np.int32), *(hit.docs for hit in hits)], dtype=np.int32)
    docs, places = np.unique(drawn, return_inverse=True)
    scores = np.full((docs.size, len(hits)), np.nan, np.float32)
    ranks = np.full((docs.size, len(hits)), -1, np.int32)
    start = 0
    for column, hit in enumerate(hits):
        rows = places[start : start + len(hit)]
        scores[rows, column] = hit.scores
        ranks[rows, column] = np.arange(len(hit), dtype=np.int32)
        start += len(hit)
    return Candidates(tuple(sources), np.array(depths, np.int32), docs, scores, ranks)
