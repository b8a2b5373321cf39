"""What the listeners who type a query mean by it: its interpretations, and which items serve each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.listeners import Crowd, Wish
from demo.shelves import GENRES
from engine import Document

SEEN = 15
"""Searches from which on a query's interpretations are told."""
LEAST = 0.05
"""Share of a query's searches from which on an interpretation counts."""
MOST = 0.8
"""Share above which a query means one thing."""

Interpretation = tuple[str, str]
"""("track", "Queen"): an item of this type by this artist, or of this name where it has none;
("kind", "soul"): any track of a kind of music."""


@dataclass(frozen=True, slots=True)
class Meant:
    """Of each ambiguous query, its interpretations with their shares of the searches."""

    queries: Mapping[str, Mapping[Interpretation, float]]
    items: Mapping[Interpretation, frozenset[str]]

    def served(self, query: str, page: Sequence[str]) -> float:
        """Intent recall: the share of a query's interpretations that a page has an item for."""
        of = self.queries[query]
        return sum(not self.items[one].isdisjoint(page) for one in of) / len(of)


def meant_by(documents: Sequence[Document], wishes: Sequence[Wish]) -> Meant:
    """What the wishes say of the queries that are typed often and mean several things."""
    by_id = {document.id: document for document in documents}
    items: dict[Interpretation, set[str]] = defaultdict(set)
    for document in documents:
        items[_named(document)].add(document.id)
        if document.type == "track":
            for genre in _genres(document):
                items["kind", genre].add(document.id)
    counts: dict[str, Counter[Interpretation]] = defaultdict(Counter)
    for wish in wishes:
        document = by_id[wish.item]
        genres = _genres(document) if wish.intent in ("topic", "new") else ()
        meant = ("kind", genres[0]) if genres else _named(document)
        counts[wish.text][meant] += 1
    queries = {}
    for text, counted in counts.items():
        total = counted.total()
        shares = {one: n / total for one, n in counted.items() if n >= LEAST * total}
        if total >= SEEN and len(shares) > 1 and max(shares.values()) <= MOST:
            queries[text] = shares
    return Meant(queries, {one: frozenset(ids) for one, ids in items.items()})


def heard(documents: Sequence[Document], seed: int, count: int) -> list[Wish]:
    """Wishes of the demo's listeners, each of which finds what it means."""
    crowd = Crowd(documents, seed)
    return [crowd.fulfilled() for _ in range(count)]


def _named(document: Document) -> Interpretation:
    return document.type or "item", next(iter(document.values("artist")), document.title)


def _genres(document: Document) -> tuple[str, ...]:
    return tuple(value for key in GENRES for value in document.values(key))
