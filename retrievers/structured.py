"""Fielded search: what a query's words are read as becomes conditions on the catalogue's fields.

Values are postings of our own rather than an index of Tantivy (see ARCHITECTURE.md): names with
their rows, a type, a year and a popularity a row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from retrievers.arrays import keep, mapped
from retrievers.base import (
    BoolMask,
    Docs,
    Document,
    Heard,
    Hits,
    Labelled,
    Query,
    Reading,
    Retriever,
    Span,
)
from retrievers.conditions import Asked
from retrievers.field_names import year_of
from retrievers.gazetteer import Gazetteer
from retrievers.predicted_queries import popularity
from retrievers.query_words import NEWEST, NOT, OLDEST, WORD, kind_words
from retrievers.readings import Lexicon, readings, rule_mentions
from retrievers.structured_scores import Floats, collect, forget, scratch, select
from retrievers.tokens import places
from retrievers.topk import frozen

YEARS = ("year", "date", "released", "release_date", "published", "decade")
"""Keys of metadata that may hold when something came out, the first that does counts."""
HAS = 0.85
"""What a row gains that has a value, where one that is called so gains 1."""
HAS_WORD = 0.7
"""What a row gains that has a word of the query in its name."""
RELATED = 0.4
"""What is gained by documents that a found one is of: its artist, its album."""
LOOKED_THROUGH = 4096
"""Rows among which one is sought that is as all of a reading says; where there are more, there is."""
NO_ERAS = (math.inf, -math.inf)
"""The first and last year of no document."""
KEPT = 16
"""Texts whose readings are kept."""
PAGES = 20
"""Found documents whose related ones come along, the most popular."""


class Structured(Retriever):
    """Ranks rows by how much of a reading they satisfy, summed over the readings by their probability.

    A name or value is a soft condition; kinds, years and what is excluded are hard ones. A row that
    satisfies all of a reading of probability p scores p, or up to a quarter less by the order asked for
    ("latest", "oldest"; else popularity); one that satisfies a share of it, p times that squared. A query
    without readings is read by rules (see `retrievers.readings`); what names nothing finds nothing.
    """

    name: ClassVar[str] = "structured"

    def __init__(self) -> None:
        self._gazetteer = Gazetteer()
        self._type_names: tuple[str, ...] = ()
        self._types: NDArray[np.int16] = np.empty(0, np.int16)
        self._years: Floats = np.empty(0, np.float32)
        self._popularity: Floats = np.empty(0, np.float32)
        self._eras = NO_ERAS
        self._read: dict[str, tuple[Reading, ...]] = {}  # replaced whole, as all state
        self._most = 0.0

    @property
    def gazetteer(self) -> Gazetteer:
        """What the catalogue calls things."""
        return self._gazetteer

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its documents."""
        return self._type_names

    @property
    def kinds(self) -> dict[str, str]:
        """Words for types of documents, and the type each means."""
        return kind_words(self._type_names)

    def hear(self, text: str) -> Heard:
        """What may be mentioned in a text."""
        where = places(text)
        known = (*self._gazetteer.mentions(text), *rule_mentions(text, where, self.kinds))
        return Heard(text, tuple(where), known)

    def readings(self, heard: Heard, labelled: Labelled | None = None) -> tuple[Reading, ...]:
        """What was heard may be, best first: by rules, and by what a tagger says where one does."""
        lexicon = Lexicon(self.kinds, self._most, self._gazetteer.knows, self._agreement())
        return readings(heard, lexicon, labelled)

    def by_rules(self, text: str) -> tuple[Reading, ...]:
        """The readings of a text without a tagger; those of the latest ones are kept."""
        kept = self._read
        if text not in kept:
            latest = list(kept.items())[1 - KEPT :]
            self._read = kept = {**dict(latest), text: self.readings(self.hear(text))}
        return kept[text]

    def _agreement(self) -> Callable[[tuple[Span, ...]], bool]:
        """Tells whether some document is as all spans say, as far as they are wanted."""
        known: dict[tuple[str, str], Docs] = {}

        def rows(span: Span) -> Docs:
            key = (span.field, span.value)
            if key not in known:
                is_word = span.field == WORD
                gazetteer = self._gazetteer
                known[key] = gazetteer.called(span.value) if is_word else gazetteer.having(*key)[0]
            return known[key]

        def agrees(spans: tuple[Span, ...]) -> bool:
            asked = Asked.of(spans, self._type_names)
            lists = sorted(map(rows, asked.wanted), key=len)
            if not lists or lists[0].size > LOOKED_THROUGH:
                return True
            found = lists[0]
            for other in lists[1:]:
                if found.size:
                    at = np.minimum(other.searchsorted(found), other.size - 1)
                    found = found[other[at] == found]
            if asked.kind >= 0:
                found = found[self._types[found] == asked.kind]
            if not math.isnan(asked.low):
                found = found[(self._years[found] >= asked.low) & (self._years[found] < asked.high)]
            return found.size > 0

        return agrees

    def meets(self, reading: Reading, docs: Docs) -> BoolMask:
        """Which of the rows `docs` (n,) are of the kind and of the years of a reading."""
        asked = Asked.of(reading.spans, self._type_names)
        return asked.met(self._types[docs], self._years[docs])

    def at_most(self, query: Query) -> float:
        """0 where nothing is read; else not known."""
        return math.inf if query.readings or self.by_rules(query.text) else 0.0

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """The rows that satisfy most."""
        if k <= 0 or not self._types.size:
            return Hits.none()
        try:
            size = 0
            known: dict[tuple[str, str, bool], tuple[Docs, Floats]] = {}
            for reading in query.readings or self.by_rules(query.text):
                size = self._collect(reading, size, known)
            _, totals, _, every = scratch(self._types.size)
            docs, scores = np.empty(min(k, size), np.int32), np.empty(min(k, size), np.float32)
            mask = np.empty(0, np.bool_) if allowed is None else allowed
            found = select(
                totals, every, size, frozen(self._gazetteer.live), frozen(mask), docs, scores
            )
        except BaseException:
            forget()
            raise
        return Hits(docs[:found], scores[:found])

    def _collect(
        self, reading: Reading, size: int, known: dict[tuple[str, str, bool], tuple[Docs, Floats]]
    ) -> int:
        """Add a reading's scores to this thread's totals; how many rows have one now. `known`: what
        spans of other readings brought."""
        asked = Asked.of(reading.spans, self._type_names)
        if (
            all(span.field == WORD for span in asked.wanted)
            and asked.kind == -1
            and math.isnan(asked.low)
        ):
            return size
        rows, gains = [np.empty(0, np.int32)], [np.empty(0, np.float32)]
        of_age = bool(asked.order) or not math.isnan(asked.low)
        for span in (*asked.wanted, *asked.unwanted):
            key = (span.field, span.value, of_age)
            if key not in known:
                known[key] = self._having(span, of_age)
            rows.append(known[key][0])
            gains.append(known[key][1])
        excluded = np.repeat([0, 1], [len(asked.wanted), len(asked.unwanted)]).astype(np.int8)
        starts = np.zeros(len(rows), np.int64)
        np.cumsum([part.size for part in rows[1:]], out=starts[1:])
        weight = reading.probability / max(len(asked.wanted), 1) ** 2
        ordering, base, scale = self._ordering(asked.order)
        return collect(
            frozen(starts), frozen(np.concatenate(rows)), frozen(np.concatenate(gains)),
            frozen(excluded), weight, asked.kind, asked.low, asked.high, frozen(self._types),
            frozen(self._years), frozen(ordering), base, scale, *scratch(self._types.size), size,
        )  # fmt: skip

    def _ordering(self, order: str) -> tuple[Floats, float, float]:
        """What comes first: (rows,), and what it is brought to [0, 1] by."""
        low, high = self._eras
        span = max(high - low, 1.0)
        if order == NEWEST:
            return self._years, low, 1.0 / span
        if order == OLDEST:
            return self._years, high, -1.0 / span
        return self._popularity, 0.0, 1.0 / max(self._most, 1e-9)

    def _having(self, span: Span, of_age: bool) -> tuple[Docs, Floats]:
        """The rows that a value brings, with what each gains; `of_age`: years or an order are asked for."""
        if span.field == WORD:
            rows = self._gazetteer.called(span.value)
            return rows, np.full(rows.size, HAS_WORD, np.float32)
        rows, own = self._gazetteer.having(span.field.removeprefix(NOT), span.value)
        # What is asked for by age or years is not the page of whoever made it.
        gains = np.where(own, 1.0, 1.0 if of_age else HAS).astype(np.float32)
        if span.field.startswith(NOT) or not own.any():
            return rows, gains
        called = rows[own]
        first = called[np.lexsort((called, -self._popularity[called]))][:PAGES]
        pages = self._gazetteer.pages(first)
        pages = pages[~np.isin(pages, rows)]
        return (
            np.concatenate([rows, pages]),
            np.concatenate([gains, np.full(pages.size, RELATED, np.float32)]),
        )

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Index names, values, types, years and popularity."""
        if rows.size == 0:
            return
        more = int(rows[-1]) + 1 - self._types.size
        codes = {name: code for code, name in enumerate(self._type_names)}
        types = np.concatenate([self._types, np.full(more, -1, np.int16)])
        years = np.concatenate([self._years, np.full(more, np.nan, np.float32)])
        popular = np.concatenate([self._popularity, np.zeros(more, np.float32)])
        types[rows] = [
            -1 if document.type is None else codes.setdefault(document.type, len(codes))
            for document in documents
        ]
        years[rows] = [year_of(document, YEARS) for document in documents]
        popular[rows] = [popularity(document) for document in documents]
        self._gazetteer = self._gazetteer.add(rows, documents, popular)
        self._type_names = tuple(codes)
        self._types, self._years, self._popularity = types, years, popular
        self._measure(rows)
        self._read = {}

    def _measure(self, rows: Docs) -> None:
        """Take in the years and the popularity of rows."""
        years, (low, high) = self._years[rows], self._eras
        years = years[~np.isnan(years)]
        self._eras = (
            float(years.min(initial=np.float32(low))), float(years.max(initial=np.float32(high)))
        )  # fmt: skip
        self._most = max(self._most, float(self._popularity[rows].max(initial=0.0)))

    def remove(self, rows: Docs) -> None:
        """Never return these rows again; what only they were called is no name any more."""
        if rows.size:
            self._gazetteer = self._gazetteer.remove(rows)
            self._read = {}

    def merge(self) -> None:
        """Look names up in one table again, and forget years and popularity of removed rows."""
        self._gazetteer = self._gazetteer.merge(self._popularity)
        self._eras, self._most = NO_ERAS, 0.0
        self._measure(np.flatnonzero(self._gazetteer.live).astype(np.int32))
        self._read = {}

    def save(self, folder: Path) -> None:
        """Write names of types as JSON and arrays as .npy files."""
        about = {"types": self._type_names, "eras": self._eras, "most": self._most}
        text = json.dumps(about, ensure_ascii=False)
        (folder / "structured.json").write_text(text, encoding="utf-8")
        keep(folder / "types.npy", self._types)
        keep(folder / "years.npy", self._years)
        keep(folder / "popularity.npy", self._popularity)
        self._gazetteer.save(folder / "gazetteer")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        self = cls()
        about = json.loads((folder / "structured.json").read_text(encoding="utf-8"))
        self._type_names = tuple(about["types"])
        self._types = mapped(folder / "types.npy", np.int16)
        self._years = mapped(folder / "years.npy", np.float32)
        self._popularity = mapped(folder / "popularity.npy", np.float32)
        self._gazetteer = Gazetteer.load(folder / "gazetteer")
        (first, last), self._most = about["eras"], about["most"]
        self._eras = (first, last)
        return self
