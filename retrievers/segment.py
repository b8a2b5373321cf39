"""Compiled postings: what every entry adds to the score of its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from retrievers import maxscore, sweep
from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Hits, Scores
from retrievers.postings import Postings
from retrievers.topk import frozen

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The `count` rows of an index and what a search holds of each, all read-only.

    `live` and `allowed` (rows,): False where a row must not be returned; empty for no such row.
    `prior` (rows,): added to the score of a row that is found, at most `prior_peak`; or empty.
    """

    count: int
    live: BoolMask
    allowed: BoolMask
    prior: Scores
    prior_peak: float


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Postings with their terms' `idf` (terms,), what each entry adds (`impacts`, (entries,)) and
    the `peaks` (terms,) of that."""

    postings: Postings
    idf: Floats
    impacts: Scores
    peaks: Scores

    @classmethod
    def empty(cls) -> Self:
        """No term."""
        floats = frozen(np.empty(0, np.float32))
        return cls(Postings.empty(), frozen(np.empty(0, np.float64)), floats, floats)

    def save(self, folder: Path) -> None:
        """Write into a new folder."""
        folder.mkdir()
        self.postings.save(folder)
        for name in ("idf", "impacts", "peaks"):
            keep(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, the arrays mapped from their files."""
        return cls(
            Postings.load(folder),
            mapped(folder / "idf.npy", np.float64),
            mapped(folder / "impacts.npy", np.float32),
            mapped(folder / "peaks.npy", np.float32),
        )

    def scores(self, weights: Mapping[str, float], docs: Docs, most: Floats) -> Scores:
        """Shape (n,): the sum of weight times impact of each of `docs` (n,); to `most`, one number per term, goes
        the highest that any row has. A term with an impact of 0 or less is passed over."""
        found = np.zeros(docs.size, np.float32)
        vocabulary, indptr = self.postings.vocabulary, self.postings.indptr
        for i, (term, weight) in enumerate(weights.items()):
            t = vocabulary.get(term)
            if t is not None and np.isfinite(self.peaks[t]):
                most[i] = max(most[i], weight * float(self.peaks[t]))
                low, high = int(indptr[t]), int(indptr[t + 1])
                maxscore.look_up(self.postings.rows, self.impacts, low, high, weight, docs, found)
        return found

    def search(
        self,
        weights: Mapping[str, float],
        k: int,
        among: Rows,
    ) -> Hits:
        """The k best of the rows `among` that hold a term, by the sum of weight times impact."""
        vocabulary, indptr = self.postings.vocabulary, self.postings.indptr
        found = []
        for term, weight in weights.items():
            t = vocabulary.get(term)
            if t is not None:
                found.append((int(indptr[t + 1] - indptr[t]), t, weight))
        total = sum(size for size, _, _ in found)
        k = min(k, total)
        if k <= 0:
            return Hits.none()
        found.sort()
        bounds = np.zeros(len(found) + 1, np.float64)
        for i, (_, t, weight) in reversed(list(enumerate(found))):
            bounds[i] = bounds[i + 1] + float(self.peaks[t]) * weight
        docs, scores = np.empty(k, np.int32), np.empty(k, np.float32)
        lists = (
            indptr,
            self.postings.rows,
            self.impacts,
            np.array([t for _, t, _ in found], np.int64),
            np.array([weight for _, _, weight in found], np.float32),
        )
        if not among.prior.size and sweep.pays(lists[-1], bounds, total, among.count):
            size = sweep.search(*lists, among.count, among.live, among.allowed, docs, scores)
            return Hits(docs[:size], scores[:size])
        size = maxscore.search(
            *lists,
            bounds,
            among.prior_peak,
            among.live,
            among.allowed,
            among.prior,
            *maxscore.scratch(among.count),
            docs,
            scores,
        )
        return Hits(docs[:size], scores[:size])
