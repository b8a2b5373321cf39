"""Inverted lists: for every term, the rows that hold it and how much of it."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs
from retrievers.levels import Codes, Levels, code_type, coded, joined
from retrievers.topk import frozen

Bag: TypeAlias = Iterable[tuple[Sequence[str], float]]
"""A document's words: lists of tokens, each list with the weight that every token in it counts."""
Counts: TypeAlias = NDArray[np.float32]
Offsets: TypeAlias = NDArray[np.int64]
_SLICE = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Lists in compressed columns.

    The list of term t is entries indptr[t]:indptr[t + 1] of `rows` (ascending within a list) and
    `counts`, codes of `levels` (see `retrievers.levels`): the sum of the weights of the term's
    occurrences, > 0. All arrays are read-only.
    """

    vocabulary: Mapping[str, int]
    indptr: Offsets
    rows: Docs
    counts: Codes
    levels: Levels

    def __post_init__(self) -> None:
        if self.indptr.shape != (len(self.vocabulary) + 1,) or self.rows.shape != self.counts.shape:
            raise ValueError(
                f"Postings: {len(self.vocabulary)} terms need indptr of one more entry, found "
                f"{self.indptr.shape}; rows {self.rows.shape} and counts {self.counts.shape} must "
                f"be of equal shape"
            )

    @classmethod
    def empty(cls) -> Self:
        """No term."""
        return cls(
            {}, frozen(np.zeros(1, np.int64)), frozen(np.empty(0, np.int32)),
            frozen(np.empty(0, np.uint8)), frozen(np.empty(0, np.float32)),
        )  # fmt: skip

    @classmethod
    def count(cls, rows: Docs, bags: Iterable[Bag]) -> tuple[Self, Counts]:
        """The lists of the documents under `rows` (ascending), and each document's total weight."""
        vocabulary: defaultdict[str, int] = defaultdict()
        vocabulary.default_factory = vocabulary.__len__
        terms, sizes, weights, ends = array("i"), array("q"), array("f"), array("q")
        for bag in bags:
            for tokens, weight in bag:
                terms.extend([vocabulary[token] for token in tokens])
                sizes.append(len(tokens))
                weights.append(weight)
            ends.append(len(terms))
        if rows.shape != (len(ends),):
            raise ValueError(
                f"rows: found shape {rows.shape}, expected ({len(ends)},), one for each document"
            )
        each = np.repeat(np.frombuffer(weights, np.float32), np.frombuffer(sizes, np.int64))
        indptr, listed, counts, lengths = _invert(
            frozen(np.ascontiguousarray(rows, np.int32)),
            frozen(np.frombuffer(ends, np.int64)),
            frozen(np.frombuffer(terms, np.int32)),
            frozen(each),
            len(vocabulary),
        )
        codes, levels = coded(frozen(counts))
        postings = cls(
            dict(vocabulary), frozen(indptr), frozen(listed), frozen(codes), frozen(levels)
        )
        return postings, lengths

    def join(self, later: Postings, live: BoolMask) -> Postings:
        """Both, without the rows not `live` (shape (rows,)); `later` holds only higher rows."""
        vocabulary = dict(self.vocabulary)
        targets = np.fromiter(
            (vocabulary.setdefault(term, len(vocabulary)) for term in later.vocabulary),
            np.int64,
            len(later.vocabulary),
        )
        counts, others, levels = joined(self.counts, self.levels, later.counts, later.levels)
        indptr, rows, counts = _join(
            self.indptr, self.rows, frozen(counts),
            later.indptr, later.rows, frozen(others),
            frozen(targets), frozen(live), len(vocabulary),
        )  # fmt: skip
        used = indptr[1:] > indptr[:-1]
        if not used.all():
            kept = [term for term, is_used in zip(vocabulary, used, strict=True) if is_used]
            vocabulary = {term: i for i, term in enumerate(kept)}
            indptr = np.concatenate([indptr[:1], indptr[1:][used]])
        return Postings(vocabulary, frozen(indptr), frozen(rows), frozen(counts), frozen(levels))

    @property
    def frequencies(self) -> Offsets:
        """In how many documents each term stands, shape (terms,)."""
        return np.diff(self.indptr)

    def save(self, folder: Path) -> None:
        """Write into an existing folder: the arrays, and the terms one a line in their order."""
        for name in ("indptr", "rows", "counts", "levels"):
            keep(folder / f"{name}.npy", getattr(self, name))
        (folder / "terms.txt").write_bytes("\n".join(self.vocabulary).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, the arrays mapped from their files."""
        text = (folder / "terms.txt").read_bytes().decode()
        terms = text.split("\n") if text else []
        levels = mapped(folder / "levels.npy", np.float32)
        vocabulary: dict[str, int] = {}
        for start in range(0, len(terms), _SLICE):
            # Not in one call, in which no other thread could run.
            part = terms[start : start + _SLICE]
            vocabulary.update(zip(part, range(start, start + len(part)), strict=True))
        return cls(
            vocabulary,
            mapped(folder / "indptr.npy", np.int64),
            mapped(folder / "rows.npy", np.int32),
            mapped(folder / "counts.npy", code_type(levels.size)),
            levels,
        )


@njit(nogil=True, cache=True)
def _invert(
    rows: Docs, ends: Offsets, terms: Docs, weights: Counts, size: int
) -> tuple[Offsets, Docs, Counts, Counts]:
    indptr = np.zeros(size + 1, np.int64)
    seen = np.full(size, -1, np.int64)
    start = 0
    for i in range(rows.size):
        for e in range(start, ends[i]):
            if seen[terms[e]] != i:
                seen[terms[e]] = i
                indptr[terms[e] + 1] += 1
        start = ends[i]
    indptr = np.cumsum(indptr)
    at = indptr[:-1].copy()
    listed = np.empty(indptr[-1], np.int32)
    counts = np.zeros(indptr[-1], np.float32)
    lengths = np.zeros(rows.size, np.float32)
    seen[:] = -1
    start = 0
    for i in range(rows.size):
        for e in range(start, ends[i]):
            term = terms[e]
            if seen[term] != i:
                seen[term] = i
                listed[at[term]] = rows[i]
                at[term] += 1
            counts[at[term] - 1] += weights[e]
            lengths[i] += weights[e]
        start = ends[i]
    return indptr, listed, counts, lengths


@njit(nogil=True, cache=True)
def _join(
    indptr: Offsets,
    rows: Docs,
    counts: Codes,
    later_indptr: Offsets,
    later_rows: Docs,
    later_counts: Codes,
    targets: Offsets,
    live: BoolMask,
    size: int,
) -> tuple[Offsets, Docs, Codes]:
    sources = np.full(size, -1, np.int64)
    for t in range(targets.size):
        sources[targets[t]] = t
    starts = np.zeros(size + 1, np.int64)
    listed = np.empty(rows.size + later_rows.size, np.int32)
    summed = np.empty(rows.size + later_rows.size, counts.dtype)
    at = 0
    for term in range(size):
        if term < indptr.size - 1:
            for p in range(indptr[term], indptr[term + 1]):
                if live[rows[p]]:
                    listed[at], summed[at] = rows[p], counts[p]
                    at += 1
        t = sources[term]
        if t >= 0:
            for p in range(later_indptr[t], later_indptr[t + 1]):
                if live[later_rows[p]]:
                    listed[at], summed[at] = later_rows[p], later_counts[p]
                    at += 1
        starts[term + 1] = at
    return starts, listed[:at].copy(), summed[:at].copy()
