"""BM25 over one bag of weighted fields, with popularity as an optional prior."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.analysis import Analyzer
from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Document, Hits, Query, Retriever, Scores
from retrievers.levels import Codes, Levels
from retrievers.phrases import value_term, value_terms
from retrievers.postings import Offsets, Postings
from retrievers.segment import Floats
from retrievers.sparse import SparseIndex
from retrievers.topk import frozen

DEFAULT_ANALYZER = Analyzer()
METADATA = "*"
"""The key of `weights` that stands for every metadata field without a weight of its own."""
DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType({"title": 3.0, "text": 1.0, METADATA: 1.0})

_MACHINE_KEY = re.compile(
    r"(?:^|_)(?:id|ids|uuid|guid|uri|url|urls|href|link|links|image|images|thumbnail|cover|isrc"
    r"|ean|upc|sku|hash|checksum|popularity)$",
    re.IGNORECASE,
)
_YEAR_KEY = re.compile(r"(?:^|_)(?:year|decade|released?|date)(?:$|_)", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-\d{2}(?:-\d{2}(?:[T ].*)?)?")


def metadata_texts(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The (key, text) pairs of metadata that people search by.

    Strings and lists of strings, but not addresses and identifiers; of dates their year; numbers
    only under a key that speaks of a year.
    """
    for key, value in metadata.items():
        if _MACHINE_KEY.search(key):
            continue
        for entry in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(entry, str):
                date = _DATE.fullmatch(entry)
                if date:
                    yield key, date[1]
                elif not entry.startswith(("http://", "https://")):
                    yield key, entry
            elif isinstance(entry, (int, float)) and _YEAR_KEY.search(key) and math.isfinite(entry):
                yield key, str(int(entry))


@dataclass(frozen=True, slots=True)
class Okapi:
    """The weights of `rank_bm25.BM25Okapi`.

    idf(t) = ln(N - n_t + 0.5) - ln(n_t + 0.5), or `epsilon` times the mean idf of all terms where
    that is negative; an entry adds idf · c(k1 + 1) / (c + k1(1 - b + b · length / mean length)),
    c being the weighted count (Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple
    weighted fields", CIKM 2004, section 3).
    """

    k1: float = 1.5
    b: float = 0.75
    epsilon: float = 0.25

    def idf(self, frequencies: Offsets, documents: int) -> Floats:
        """Of terms that stand in `frequencies` (t,) of `documents` documents."""
        idf: Floats = np.log(documents - frequencies + 0.5) - np.log(frequencies + 0.5)
        if idf.size:
            idf[idf < 0] = self.epsilon * idf.mean()
        return idf

    def impacts(self, postings: Postings, idf: Floats, lengths: Floats) -> Scores:
        """Of every entry of `postings`."""
        return _okapi(
            postings.indptr, postings.rows, postings.counts, postings.levels, idf, lengths,
            self.k1, self.b,
        )  # fmt: skip


@njit(nogil=True, cache=True)
def _okapi(
    indptr: Offsets,
    rows: Docs,
    counts: Codes,
    levels: Levels,
    idf: Floats,
    lengths: Floats,
    k1: float,
    b: float,
) -> Scores:
    impacts = np.empty(rows.size, np.float32)
    for term in range(idf.size):
        for p in range(indptr[term], indptr[term + 1]):
            count = np.float64(levels[counts[p]])
            norm = k1 * (1 - b + b * lengths[rows[p]])
            impacts[p] = idf[term] * count * (k1 + 1) / (count + norm)
    return impacts


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What is replaced as one: `popularity` and `prior` have shape (rows,), or (0,) for none."""

    index: SparseIndex
    popularity: Scores
    prior: Scores


class BM25(Retriever):
    """Finds documents by their words, and by whole values of their metadata (`retrievers.phrases`).

    `weights`: what an occurrence in "title", "text" or a metadata field counts; `METADATA` stands
    for the metadata fields not named, and a field that is missing or 0 is not indexed.
    `prior_weight`: what a most popular document gains over an unpopular one, in units of score:
    w · p / (p + median of all p > 0), p = metadata["popularity"] (the saturation of Craswell,
    Robertson, Zaragoza and Taylor, "Relevance weighting for query independent evidence", SIGIR
    2005), so that of two tracks of one title the more popular comes first.
    """

    name: ClassVar[str] = "bm25"
    by_text: ClassVar[bool] = True

    def __init__(
        self,
        *,
        analyzer: Analyzer = DEFAULT_ANALYZER,
        weights: Mapping[str, float] = DEFAULT_WEIGHTS,
        k1: float = 1.5,
        b: float = 0.75,
        epsilon: float = 0.25,
        prior_weight: float = 1.0,
    ) -> None:
        for key, value, low, high in (
            ("k1", k1, 0.0, math.inf), ("b", b, 0.0, 1.0), ("prior_weight", prior_weight, 0.0, math.inf),
            *((f"weights[{key!r}]", weight, 0.0, math.inf) for key, weight in weights.items()),
        ):  # fmt: skip
            if not low <= value <= high or math.isinf(value):
                raise ValueError(f"{key}: found {value}, expected a number in [{low:g}, {high:g}]")
        self.analyzer = analyzer
        self.weights = dict(weights)
        self.prior_weight = prior_weight
        self._okapi = Okapi(k1, b, epsilon)
        none = frozen(np.empty(0, np.float32))
        self._state = _State(SparseIndex.empty(self._okapi), none, none)

    def _bag(self, document: Document) -> Iterator[tuple[list[str], float]]:
        rest = self.weights.get(METADATA, 0.0)
        fields = [("title", document.title), ("text", document.text)]
        fields.extend(metadata_texts(document.metadata))
        if document.type and "type" not in document.metadata:
            fields.append(("type", document.type))
        for key, text in fields:
            weight = self.weights.get(key, 0.0 if key in ("title", "text") else rest)
            if weight > 0 and text:
                tokens = self.analyzer.tokens(text)
                whole = None if key in ("title", "text") else value_term(tokens)
                yield (tokens if whole is None else [*tokens, whole]), weight

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """The rows that hold a word of the query; a word said twice counts twice."""
        state = self._state
        return state.index.search(
            self._words(query.text), k, allowed, state.prior, self.prior_weight
        )

    def _words(self, text: str) -> Counter[str]:
        tokens = self.analyzer.tokens(text)
        return Counter([*tokens, *value_terms(tokens)])

    def matching(self, text: str) -> Callable[[Docs], Scores]:
        """What tells of documents (n,) how well each has the words of a text, in [0, 1] (n,), popularity aside: 1 for
        one that is the best by each of them, 0 where none is known. The text is read once."""
        return partial(self._state.index.shares, self._words(text))

    def document_frequency(self, text: str) -> NDArray[np.int32]:
        """In how many documents each token of the text stands, in its order; 0 = unknown."""
        return self._state.index.frequencies(self.analyzer.tokens(text))

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Index documents; idf and mean length follow once the delta outgrows a tenth."""
        state = self._state
        index = state.index.add(rows, map(self._bag, documents))
        popularity = np.zeros(index.rows, np.float32)
        popularity[: state.popularity.size] = state.popularity
        popularity[rows] = [_popularity(document) for document in documents]
        self._state = self._with_prior(index, popularity)

    def _with_prior(self, index: SparseIndex, popularity: Scores) -> _State:
        """With the prior of popularities, (rows,), 0 where there is none."""
        known = popularity[popularity > 0]
        if known.size == 0 or self.prior_weight == 0:
            return _State(index, frozen(popularity), frozen(np.empty(0, np.float32)))
        prior = self.prior_weight * popularity / (popularity + np.median(known))
        return _State(index, frozen(popularity), frozen(prior.astype(np.float32)))

    def remove(self, rows: Docs) -> None:
        """Hide the rows at once; their words count in the statistics until the next merge."""
        self._state = replace(self._state, index=self._state.index.remove(rows))

    def merge(self) -> None:
        """Make the statistics exact after adds and removals."""
        state = self._state
        index = state.index.merge()
        popularity = np.where(index.live, state.popularity, np.float32(0))
        if index is not state.index or not np.array_equal(popularity, state.popularity):
            self._state = self._with_prior(index, popularity)

    def save(self, folder: Path) -> None:
        """Settings as JSON, everything else as arrays that `load` maps."""
        settings = {
            "analyzer": {
                "stem": self.analyzer.stem,
                "stopwords": sorted(self.analyzer.stopwords),
            },
            "weights": self.weights,
            "k1": self._okapi.k1,
            "b": self._okapi.b,
            "epsilon": self._okapi.epsilon,
            "prior_weight": self.prior_weight,
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        self._state.index.save(folder)
        keep(folder / "popularity.npy", self._state.popularity)
        keep(folder / "prior.npy", self._state.prior)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        settings = json.loads((folder / "settings.json").read_text())
        analyzer = settings.pop("analyzer")
        self = cls(
            analyzer=Analyzer(analyzer["stem"], frozenset(analyzer["stopwords"])), **settings
        )
        self._state = _State(
            SparseIndex.load(folder, self._okapi),
            mapped(folder / "popularity.npy", np.float32),
            mapped(folder / "prior.npy", np.float32),
        )
        return self


def _popularity(document: Document) -> float:
    value = document.metadata.get("popularity")
    if isinstance(value, (int, float)) and math.isfinite(value):
        return max(float(value), 0.0)
    return 0.0
