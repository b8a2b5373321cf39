"""A conversation with an engine: what is said, found and chosen, turn after turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.errors import BadInput
from engine.response import Hit, Response
from engine.search_engine import SearchEngine
from retrievers.base import Context, Document, Turn

NAMED = 3
"""Results that an answer names."""
BY = ("artist", "artists", "author", "authors", "creator", "brand")
"""Metadata that says whose work an item is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the engine answers, and what it was found by."""

    text: str
    response: Response


class Talk:
    """One conversation. Every line is a search in the context of those before it.

    `context`: who is talking, and everything else but the turns.
    """

    def __init__(self, engine: SearchEngine, context: Context | None = None, k: int = 10) -> None:
        self.turns: tuple[Turn, ...] = ()
        self.last: Response | None = None
        self._engine, self._k = engine, k
        self._context = context or Context()

    def say(self, text: str) -> Reply:
        """Search for what is said."""
        response = self._engine.search(text, replace(self._context, turns=self.turns), self._k)
        told = [hit.document for hit in response.hits[:NAMED]]
        said = f"I found {listed([called(one) for one in told])}." if told else "I found nothing."
        self.last = response
        self._add(Turn("user", text))
        self._add(Turn("system", said, tuple(one.title for one in told)))
        return Reply(said, response)

    def choose(self, rank: int) -> Hit:
        """Take a result of the last search, from 1; recorded as a click."""
        hits = () if self.last is None else self.last.hits
        if self.last is None or not 1 <= rank <= len(hits):
            raise BadInput(
                f"choose: found {rank}, expected the number of a result, 1 to {len(hits)}"
            )
        hit = hits[rank - 1]
        self._engine.feedback(self.last.impression_id, clicks=[hit.id])
        self._add(Turn("system", f"Playing {called(hit.document)}.", (hit.document.title,)))
        return hit

    def _add(self, turn: Turn) -> None:
        self.turns = (*self.turns, turn)


def called(document: Document) -> str:
    """A title and whose work it is."""
    by = next((", ".join(document.values(key)) for key in BY if document.values(key)), "")
    title = document.title or document.id
    return f"{title} by {by}" if by else title


def listed(names: Sequence[str]) -> str:
    """ "A, B and C"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
