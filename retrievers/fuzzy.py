"""Names by their character trigrams, the best of them ordered by the edits they are away."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np
from numba import njit

from retrievers.analysis import words
from retrievers.base import BoolMask, Docs, Document, Features, Hits, Query, Retriever, Scores
from retrievers.closeness import COLUMNS, closeness
from retrievers.levels import Codes, Levels
from retrievers.name_table import NameTable
from retrievers.postings import Offsets, Postings
from retrievers.segment import Floats
from retrievers.sparse import SparseIndex
from retrievers.topk import best

DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType({"title": 1.0, "artist": 0.7})
POOL = 200
"""How many names, best by trigrams, are ordered by similarity; whatever number is asked for."""
FORGOTTEN = 1.1
"""Rows to live ones from which on the names of removed rows are worth the time to forget them."""
NEAREST = 5
"""Names that `nearness` tells of."""
COSINE = 0.2
"""The share of the trigrams' cosine in a score; similarity has the rest."""


def trigrams(text: str) -> list[str]:
    """The trigrams of the words, two spaces before the first and behind the last, one between.

    "u 2" gives "  u", " u ", "u 2", " 2 " and "2  ": a first letter is enough to match, few grams
    change when two words change places, and a word typed apart keeps most of its grams.
    """
    padded = f"  {' '.join(words(text))}  "
    return [padded[i : i + 3] for i in range(len(padded) - 2)] if len(padded) > 4 else []


class Cosine:
    """Grams weighted by idf, ln(1 + (N + 1) / (n + 1)), and every name scaled to length one."""

    def idf(self, frequencies: Offsets, documents: int) -> Floats:
        """Of grams that stand in `frequencies` (t,) of `documents` names."""
        values: Floats = np.log1p((documents + 1) / (frequencies + 1.0))
        return values

    def impacts(self, postings: Postings, idf: Floats, lengths: Floats) -> Scores:
        """Of every entry of `postings`."""
        return _cosine(
            postings.indptr, postings.rows, postings.counts, postings.levels, idf, lengths.size
        )


@njit(nogil=True, cache=True)
def _cosine(
    indptr: Offsets, rows: Docs, counts: Codes, levels: Levels, idf: Floats, size: int
) -> Scores:
    norms = np.zeros(size, np.float64)
    for term in range(idf.size):
        for p in range(indptr[term], indptr[term + 1]):
            norms[rows[p]] += (idf[term] * levels[counts[p]]) ** 2
    impacts = np.empty(rows.size, np.float32)
    for term in range(idf.size):
        for p in range(indptr[term], indptr[term + 1]):
            impacts[p] = idf[term] * levels[counts[p]] / np.sqrt(norms[rows[p]])
    return impacts


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The rows that a query's trigrams point to, by their cosines; `weights`: of the trigrams."""

    weights: Mapping[str, float]
    docs: Docs
    cosines: Scores
    similarity: Scores


class Fuzzy(Retriever):
    """Ranks the names that share a trigram with the query, scores in (0, 1].

    Two letters that change places destroy most trigrams of a word, so trigrams only say where to
    look: the `POOL` rows of the highest cosine score COSINE x cosine + (1 - COSINE) x similarity
    (see `closeness`), all others COSINE x cosine, which is never more.

    `weights`: the fields that name a document ("title" or a key of its metadata), at most 256, and
    what a gram of each counts. A name alone is as similar as its words are, times its field's
    weight over the highest weight.
    """

    name: ClassVar[str] = "fuzzy"
    by_text: ClassVar[bool] = True
    feature_names: tuple[str, ...] = COLUMNS

    def __init__(self, *, weights: Mapping[str, float] = DEFAULT_WEIGHTS) -> None:
        for field, weight in weights.items():
            if not 0 < weight < math.inf:
                raise ValueError(f"weights[{field!r}]: found {weight}, expected a number above 0")
        self.weights = dict(weights)
        self._weighting = Cosine()
        self._index = SparseIndex.empty(self._weighting)
        self._names = NameTable.empty()
        self._later = NameTable.empty()  # rows that came after those of `_names`
        self._last: tuple[str, SparseIndex, Pool] | None = None

    def _texts(self, document: Document) -> Iterator[tuple[int, str]]:
        for number, field in enumerate(self.weights):
            for text in (document.title,) if field == "title" else document.values(field):
                yield number, text

    def _bag(self, document: Document) -> Iterator[tuple[list[str], float]]:
        weights = tuple(self.weights.values())
        for number, text in self._texts(document):
            yield trigrams(text), weights[number]

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """The names that share a trigram with the query."""
        self._index.check(allowed)
        pool = self._pool(query)
        if pool is None:
            return Hits.none()
        docs, cosines, similarity = pool.docs, pool.cosines, pool.similarity
        scores = np.float32(COSINE) * cosines + np.float32(1.0 - COSINE) * similarity
        if allowed is not None:
            # The pool is the same whatever is allowed; its allowed rows are the first of all that are.
            docs, scores = docs[allowed[docs]], scores[allowed[docs]]
        if pool.docs.size == POOL and k > docs.size:
            rest = self._index.search(
                pool.weights, k if allowed is not None else max(k, POOL), allowed
            )
            docs = np.concatenate([docs, rest.docs[docs.size :]])
            scores = np.concatenate([scores, np.float32(COSINE) * rest.scores[scores.size :]])
        return best(docs, np.minimum(scores, np.float32(1.0)), k)

    def nearness(self, query: Query) -> Scores:
        """Of the `NEAREST` nearest names, best first, as in a hit's score."""
        return self.retrieve(query, NEAREST).scores

    def _pool(self, query: Query) -> Pool | None:
        """Where to look for the query's names; None where it has no trigrams.

        The last one is kept: how near names are is asked before the generator is.
        """
        last, index = self._last, self._index
        if last is not None and last[0] == query.text and last[1] is index:
            return last[2]
        grams = Counter(trigrams(query.text))
        if not grams:
            return None
        idf = index.idf(list(grams)) * np.fromiter(grams.values(), np.float64, len(grams))
        idf /= np.sqrt((idf**2).sum())
        weights = dict(zip(grams, idf.tolist(), strict=True))
        found = index.search(weights, POOL)
        similarity = self.describe(query, found.docs)[:, COLUMNS.index("best_similarity")]
        pool = Pool(weights, found.docs, found.scores, similarity)
        self._last = (query.text, index, pool)
        return pool

    def describe(self, query: Query, docs: Docs) -> Features:
        """Columns `feature_names`, see `closeness`; NaN for an empty query and nameless rows."""
        typed, table, later = words(query.text), self._names, self._later
        columns = np.full((docs.size, len(COLUMNS)), np.nan, np.float32)
        if not typed or docs.size == 0:
            return columns
        weights = np.fromiter(self.weights.values(), np.float64, len(self.weights))
        title = list(self.weights).index("title") if "title" in self.weights else -1
        is_later = docs >= table.rows if later.rows else np.zeros(docs.size, np.bool_)
        for here, names, first in ((~is_later, table, 0), (is_later, later, table.rows)):
            if here.any():
                found = names.gather(docs[here] - np.int32(first))
                columns[here] = closeness(typed, found, weights / weights.max(), title)
        return columns

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Index names; idf follows once the delta outgrows a tenth."""
        self._index = self._index.add(rows, map(self._bag, documents))
        named = ([(n, words(text)) for n, text in self._texts(document)] for document in documents)
        if self._names.rows == 0:
            self._names = self._names.add(rows, named)
        else:
            self._later = self._later.add(rows - np.int32(self._names.rows), named)

    def remove(self, rows: Docs) -> None:
        """Hide the rows."""
        self._index = self._index.remove(rows)

    def merge(self) -> None:
        """Make idf exact after adds and removals; the names of removed rows are forgotten where
        there are many."""
        self._index = self._index.merge()
        names, self._later = self._names.joined(self._later), NameTable.empty()
        live = self._index.live
        self._names = names.merge(live) if live.size > FORGOTTEN * np.count_nonzero(live) else names

    def save(self, folder: Path) -> None:
        """Arrays, and the settings as JSON."""
        (folder / "settings.json").write_text(json.dumps({"weights": self.weights}))
        self._index.save(folder)
        self._names.save(folder / "names")
        self._later.save(folder / "later_names")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        self = cls(**json.loads((folder / "settings.json").read_text()))
        self._index = SparseIndex.load(folder, self._weighting)
        self._names = NameTable.load(folder / "names")
        self._later = NameTable.load(folder / "later_names")
        return self
