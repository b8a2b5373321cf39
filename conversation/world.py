"""The catalogue as both speakers of a simulated dialogue know it: facts, and what they match."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Document

Rows = NDArray[np.int64]
Finder = Callable[..., Rows]
"""Gives the rows that an action is about, best first, from its arguments by name."""
KIND, SORT, NOT = "kind", "sort", "not_"
"""Arguments with a meaning of their own: the document's type, an order, an exclusion's prefix."""
ORDERS = ("newest", "oldest", "popular")


class World:
    """Documents by what is said of them.

    A fact's name is a key of the metadata, or the document's type, whose value is its title: a
    track has `track`, `artist`, `genre`…
    """

    def __init__(self, documents: Iterable[Document], owner: str = "artist") -> None:
        self.owner = owner
        self.documents: Sequence[Document] = tuple(documents)
        self.types = Counter(d.type or "" for d in self.documents)
        rows: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._known: dict[tuple[tuple[tuple[str, str], ...], str | None], Rows] = {}
        self._facts: list[dict[str, tuple[str, ...]]] = []
        for row, document in enumerate(self.documents):
            facts = {key: document.values(key) for key in document.metadata}
            facts |= {KIND: (document.type or "",), document.type or "": (document.title,)}
            self._facts.append(facts)
            for name, values in facts.items():
                for value in dict.fromkeys(v.casefold() for v in values):
                    rows[name, value].append(row)
        self._rows = {fact: frozenset(those) for fact, those in rows.items()}
        self._by_title: dict[str, set[int]] = defaultdict(set)
        for row, document in enumerate(self.documents):
            self._by_title[document.title.casefold()].add(row)
        self.names = frozenset(name for facts in self._facts for name in facts)
        popularity = [float(d.metadata.get("popularity", 0)) for d in self.documents]
        years = [float(d.metadata.get("year", np.nan)) for d in self.documents]
        self.popularity, self._years = np.array(popularity), np.array(years)

    def facts(self, row: int, name: str) -> tuple[str, ...]:
        """What is known of a document under that name, empty where nothing is."""
        return self._facts[row].get(name, ())

    def fields(self, row: int) -> Mapping[str, tuple[str, ...]]:
        """Everything known of a document."""
        return self._facts[row]

    def having(self, name: str, value: str) -> Rows:
        """Rows with that fact, ascending; letter case does not matter."""
        return np.array(sorted(self._rows.get((name, value.casefold()), ())), np.int64)

    def matching(self, arguments: Mapping[str, Any]) -> Rows:
        """Rows with all these facts, in the order asked for, the most popular first by default.

        Without a kind it is the commonest type named, a track where track and artist are; the
        commonest of all where none is, or the owner alone: somebody's tracks are meant.
        """
        given = {name: str(v) for name, v in arguments.items() if v is not None and name != SORT}
        if KIND not in given:
            given[KIND] = self._kind(given)
        key = (tuple(sorted(given.items())), arguments.get(SORT))
        if key not in self._known:
            self._known[key] = self._sorted(self._having_all(given), arguments.get(SORT))
        return self._known[key]

    def _having_all(self, given: Mapping[str, str]) -> Rows:
        def sets(negative: bool) -> list[frozenset[int]]:
            facts = [
                (n.removeprefix(NOT), v) for n, v in given.items() if n.startswith(NOT) == negative
            ]
            return [self._rows.get((n, v.casefold()), frozenset()) for n, v in facts]

        found = frozenset.intersection(*sorted(sets(False), key=len)).difference(*sets(True))
        return np.array(sorted(found), np.int64)

    def _kind(self, given: Mapping[str, str]) -> str:
        most = [kind for kind, _ in self.types.most_common()]
        named = [kind for kind in most if kind in given and kind != self.owner]
        return named[0] if named else most[0]

    def _sorted(self, rows: Rows, order: str | None) -> Rows:
        keys = -self.popularity[rows]
        if order in ("newest", "oldest"):
            rows = rows[~np.isnan(self._years[rows])]
            sign = -1 if order == "newest" else 1
            return rows[np.lexsort((rows, -self.popularity[rows], sign * self._years[rows]))]
        return rows[np.lexsort((rows, keys))]

    def ambiguous(self, name: str) -> tuple[str, ...]:
        """Titles of that type which something by somebody else has too."""
        titles = sorted({d.title for d in self.documents if d.type == name})
        return tuple(title for title in titles if len(self.meanings(title)) > 1)

    def meanings(self, title: str) -> Rows:
        """Rows of that title, one for each owner, or type where nobody owns it, popular ones first."""
        seen: dict[tuple[str, ...], int] = {}
        for row in self._sorted(np.array(sorted(self._by_title[title.casefold()]), np.int64), None):
            of = self.facts(int(row), self.owner)
            seen.setdefault(of or (self.documents[row].type or "",), int(row))
        return np.array([*seen.values()], np.int64)
