"""What this user is likely to want for this query and has never touched."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from retrievers.base import BoolMask, Docs, Document, Hits, Outcome, Query, Retriever
from retrievers.personal import Personal


class Discovery(Retriever):
    """Ranks the query's items, neighbours of the user's own and what shares values with these (an artist, a
    brand, a genre) by the preference that `Personal` learns, leaving out what is the user's already.

    Apart from the own items, so that a plan can say how many of either: some searches go back to
    what is known, others look for something new. Joined to a `Personal` it reads that one's state
    and has none of its own; alone it learns for itself, with `Personal`'s settings.
    """

    name: ClassVar[str] = "discovery"
    joins: ClassVar[str] = Personal.name

    def __init__(self, rank: int = 64, half_life: float = 730.0, seed: int = 0) -> None:
        self._personal = Personal(rank, half_life, seed)
        self._joined = False

    def joined(self, other: Retriever) -> Discovery:
        """TypeError where `other` is no `Personal`."""
        if not isinstance(other, Personal):
            raise TypeError(f"Discovery.joined: found {type(other).__name__}, expected Personal")
        twin = copy.copy(self)
        twin._personal, twin._joined = other, True
        return twin

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """Up to 100 of the query's items, 50 neighbours and 100 of the user's taste; empty for unknown users."""
        return self._personal.ranked(query, k, allowed, owned=False)

    def at_most(self, query: Query) -> float:
        """The query's items, the neighbours and those of the user's taste, own ones included."""
        return self._personal.bound(query, owned=False)

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Make room for new rows."""
        if not self._joined:
            self._personal = copy.copy(self._personal)
            self._personal.add(rows, documents)

    def remove(self, rows: Docs) -> None:
        """Never return these rows again."""
        if not self._joined:
            self._personal = copy.copy(self._personal)
            self._personal.remove(rows)

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Learn, unless another does it for this one."""
        if not self._joined:
            self._personal = copy.copy(self._personal)
            self._personal.observe(outcomes)

    def save(self, folder: Path) -> None:
        """Whether it is joined and, where it is not, what it has learnt."""
        (folder / "discovery.json").write_text(json.dumps({"joined": self._joined}))
        if not self._joined:
            (folder / Personal.name).mkdir()
            self._personal.save(folder / Personal.name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; a joined one is empty until it is joined again."""
        found = cls()
        if not json.loads((folder / "discovery.json").read_text())["joined"]:
            found._personal = Personal.load(folder / Personal.name)
        return found
