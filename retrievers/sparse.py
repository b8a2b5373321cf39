"""Scoring by postings: each matched term adds its compiled impact to the rows that hold it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from retrievers import maxscore
from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Hits, Scores
from retrievers.postings import Bag, Counts, Offsets, Postings
from retrievers.segment import Floats, Rows, Segment
from retrievers.topk import best, frozen

MERGE_SHARE = 0.1
"""A delta of more than this share of the base's documents is merged into it."""


class Weighting(Protocol):
    """How much a term is worth, and what it adds to a row that holds it."""

    def idf(self, frequencies: Offsets, documents: int) -> Floats:
        """Of terms that stand in `frequencies` (t,) of `documents` documents."""

    def impacts(self, postings: Postings, idf: Floats, lengths: Floats) -> Scores:
        """Of every entry of `postings`; `idf` (terms,), `lengths` (rows,) over their mean."""


@dataclass(frozen=True, slots=True, eq=False)
class SparseIndex:
    """A base and a small delta of later documents; a value that never changes.

    The delta takes the idf and mean length of the base (terms new to it: its own idf), so that
    scores of both compare; `merge` makes all statistics exact again. `lengths` (rows,) are in
    summed weights; `live` (rows,) is True where a document is indexed and not removed.
    `removed` rows still have postings; `later` documents are in the delta; `documents` and
    `mean_length` are the base's.
    """

    weighting: Weighting
    base: Segment
    delta: Segment
    lengths: Counts
    live: BoolMask
    removed: int
    documents: int
    mean_length: float
    later: int

    @classmethod
    def empty(cls, weighting: Weighting) -> Self:
        """No documents."""
        return cls(
            weighting, Segment.empty(), Segment.empty(), frozen(np.empty(0, np.float32)), frozen(np.empty(0, np.bool_)),
            removed=0, documents=0, mean_length=0.0, later=0,
        )  # fmt: skip

    @property
    def rows(self) -> int:
        """One more than the highest row ever added."""
        return int(self.live.size)

    def add(self, rows: Docs, bags: Iterable[Bag]) -> SparseIndex:
        """With documents under rows ascending and above all others."""
        if rows.size == 0:
            return self
        if rows[0] < self.rows or (np.diff(rows) <= 0).any():
            raise ValueError(
                f"rows: must ascend and start at {self.rows} or higher, found {rows[:5].tolist()}…; "
                f"a changed document is removed and added under a new row"
            )
        postings, added = Postings.count(rows, bags)
        size = int(rows[-1]) + 1
        lengths, live = np.zeros(size, np.float32), np.zeros(size, np.bool_)
        lengths[: self.rows], live[: self.rows] = self.lengths, self.live
        lengths[rows], live[rows] = added, True
        index = replace(
            self, lengths=frozen(lengths), live=frozen(live), later=self.later + int(rows.size)
        )
        joined = self.delta.postings.join(postings, index.live)
        if index.later > MERGE_SHARE * index.documents:
            return index._merged(joined)
        return replace(index, delta=index._segment(joined, index._delta_idf(joined)))

    def remove(self, rows: Docs) -> SparseIndex:
        """Without these rows."""
        if rows.size and (rows.min() < 0 or rows.max() >= self.rows):
            raise ValueError(
                f"rows: must lie in [0, {self.rows}), found {rows.min()} to {rows.max()}"
            )
        live = self.live.copy()
        live[rows] = False
        gone = int(self.live.sum()) - int(live.sum())
        return replace(self, live=frozen(live), removed=self.removed + gone)

    def merge(self) -> SparseIndex:
        """The same documents in one base with exact statistics."""
        return self._merged(self.delta.postings) if self.later or self.removed else self

    def _merged(self, later: Postings) -> SparseIndex:
        postings = self.base.postings.join(later, self.live)
        documents = int(self.live.sum())
        total = float(self.lengths.sum(where=self.live, dtype=np.float64))
        index = replace(
            self,
            delta=Segment.empty(),
            removed=0,
            documents=documents,
            mean_length=total / max(documents, 1),
            later=0,
        )
        idf = self.weighting.idf(postings.frequencies, documents)
        return replace(index, base=index._segment(postings, idf))

    def _segment(self, postings: Postings, idf: Floats) -> Segment:
        idf = frozen(idf)
        mean = self.mean_length if self.mean_length > 0 else 1.0
        relative = np.divide(self.lengths, mean, dtype=np.float64)
        impacts = self.weighting.impacts(postings, idf, frozen(relative))
        peaks = maxscore.peaks(postings.indptr, frozen(impacts))
        return Segment(postings, idf, frozen(impacts), frozen(peaks))

    def _delta_idf(self, postings: Postings) -> Floats:
        idf = self.weighting.idf(postings.frequencies, self.documents + self.later)
        known = self.base.postings.vocabulary
        for term, i in postings.vocabulary.items():
            if term in known:
                idf[i] = self.base.idf[known[term]]
        return idf

    def frequencies(self, terms: Sequence[str]) -> NDArray[np.int32]:
        """In how many documents each term stands, removed ones included until the next merge."""
        counts = np.zeros(len(terms), np.int32)
        for segment in (self.base, self.delta):
            vocabulary, indptr = segment.postings.vocabulary, segment.postings.indptr
            for i, term in enumerate(terms):
                t = vocabulary.get(term)
                if t is not None:
                    counts[i] += indptr[t + 1] - indptr[t]
        return counts

    def idf(self, terms: Sequence[str]) -> Floats:
        """The idf of each term, of an unknown one as of a term in no document."""
        unknown = self.weighting.idf(np.zeros(1, np.int64), self.documents + self.later)[0]
        values = np.full(len(terms), unknown, np.float64)
        for i, term in enumerate(terms):
            for segment in (self.base, self.delta):
                t = segment.postings.vocabulary.get(term)
                if t is not None:
                    values[i] = segment.idf[t]
                    break
        return values

    def search(
        self,
        weights: Mapping[str, float],
        k: int,
        allowed: BoolMask | None = None,
        prior: Scores | None = None,
        prior_peak: float = 0.0,
    ) -> Hits:
        """The k best rows by the sum of weight times impact over `weights`' terms, ties by row.

        Only rows that hold a term are returned; weights are ≥ 0. `prior` (rows,), read-only and at
        most `prior_peak`, is added to their scores.
        """
        self.check(allowed)
        among = Rows(
            self.rows,
            self.live if self.removed else _EVERY,
            _EVERY if allowed is None else frozen(np.ascontiguousarray(allowed)),
            _NO_PRIOR if prior is None else prior,
            prior_peak,
        )
        hits = self.base.search(weights, k, among)
        if self.later:
            later = self.delta.search(weights, k, among)
            if len(later):
                hits = best(
                    np.concatenate([hits.docs, later.docs]),
                    np.concatenate([hits.scores, later.scores]),
                    k,
                )
        return hits

    def shares(self, weights: Mapping[str, float], docs: Docs) -> Scores:
        """Shape (n,), in [0, 1]: the sum for each of `docs` (n,), as a share of the most that a row could have that
        is best by every term; 0 where no term is known."""
        most = np.zeros(len(weights))
        docs = np.ascontiguousarray(docs, np.int32)
        found = self.base.scores(weights, docs, most)
        if self.later:
            found += self.delta.scores(weights, docs, most)
        total = most.sum()
        return found / np.float32(total) if total > 0 else found

    def check(self, allowed: BoolMask | None) -> None:
        """ValueError where a mask has no flag for some row."""
        if allowed is not None and allowed.shape[0] < self.rows:
            raise ValueError(
                f"allowed: found {allowed.shape[0]} flags, expected one for each of {self.rows} "
                f"rows; the mask may be older than the catalogue"
            )

    def save(self, folder: Path) -> None:
        """Write into an existing folder; the weighting is its owner's to keep."""
        self.base.save(folder / "base")
        self.delta.save(folder / "delta")
        keep(folder / "lengths.npy", self.lengths)
        keep(folder / "live.npy", self.live)
        numbers = {
            name: getattr(self, name) for name in ("removed", "documents", "mean_length", "later")
        }
        (folder / "index.json").write_text(json.dumps(numbers))

    @classmethod
    def load(cls, folder: Path, weighting: Weighting) -> Self:
        """Read what `save` wrote."""
        return cls(
            weighting,
            Segment.load(folder / "base"),
            Segment.load(folder / "delta"),
            mapped(folder / "lengths.npy", np.float32),
            mapped(folder / "live.npy", np.bool_),
            **json.loads((folder / "index.json").read_text()),
        )


_EVERY = frozen(np.empty(0, np.bool_))
_NO_PRIOR = frozen(np.empty(0, np.float32))
