"""Character trigrams of names: finds what is misspelt, cut short or out of order."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np
from numba import njit

from retrievers.analysis import words
from retrievers.base import BoolMask, Docs, Document, Hits, Query, Retriever, Scores
from retrievers.postings import Counts, Offsets, Postings
from retrievers.segment import Floats
from retrievers.sparse import SparseIndex

DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType({"title": 1.0, "artist": 0.7})


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
        return _cosine(postings.indptr, postings.rows, postings.counts, idf, lengths.size)


@njit(nogil=True, cache=True)
def _cosine(indptr: Offsets, rows: Docs, counts: Counts, idf: Floats, size: int) -> Scores:
    norms = np.zeros(size, np.float64)
    for term in range(idf.size):
        for p in range(indptr[term], indptr[term + 1]):
            norms[rows[p]] += (idf[term] * counts[p]) ** 2
    impacts = np.empty(rows.size, np.float32)
    for term in range(idf.size):
        for p in range(indptr[term], indptr[term + 1]):
            impacts[p] = idf[term] * counts[p] / np.sqrt(norms[rows[p]])
    return impacts


class Fuzzy(Retriever):
    """Ranks names by the cosine of their trigrams with the query's, in (0, 1].

    `weights`: the fields that name a document ("title" or a key of its metadata), and what a gram
    of each counts.
    """

    name: ClassVar[str] = "fuzzy"

    def __init__(self, *, weights: Mapping[str, float] = DEFAULT_WEIGHTS) -> None:
        for field, weight in weights.items():
            if not 0 < weight < math.inf:
                raise ValueError(f"weights[{field!r}]: found {weight}, expected a number above 0")
        self.weights = dict(weights)
        self._weighting = Cosine()
        self._index = SparseIndex.empty(self._weighting)

    def _bag(self, document: Document) -> Iterator[tuple[list[str], float]]:
        for field, weight in self.weights.items():
            for text in (document.title,) if field == "title" else document.values(field):
                yield trigrams(text), weight

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """The names that share a trigram with the query."""
        index = self._index
        grams = Counter(trigrams(query.text))
        if not grams:
            return Hits.none()
        weights = index.idf(list(grams)) * np.fromiter(grams.values(), np.float64, len(grams))
        weights /= np.sqrt((weights**2).sum())
        return index.search(dict(zip(grams, weights.tolist(), strict=True)), k, allowed)

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Index names; idf follows once the delta outgrows a tenth."""
        self._index = self._index.add(rows, map(self._bag, documents))

    def remove(self, rows: Docs) -> None:
        """Hide the rows."""
        self._index = self._index.remove(rows)

    def merge(self) -> None:
        """Make idf exact after adds and removals."""
        self._index = self._index.merge()

    def save(self, folder: Path) -> None:
        """Arrays, and the settings as JSON."""
        (folder / "settings.json").write_text(json.dumps({"weights": self.weights}))
        self._index.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        self = cls(**json.loads((folder / "settings.json").read_text()))
        self._index = SparseIndex.load(folder, self._weighting)
        return self
