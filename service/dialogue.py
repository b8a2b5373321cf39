"""The seam for a dialogue manager: what to do next in a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from conversation.base import Action
from engine import Context, Document, Response, Turn
from engine.talking import BY, called

SEARCH = "search"
"""The action that is carried out here; any other goes to the client as it is."""

Answering = Callable[[str, Context, int], Response]
"""(query, context, k): a logged search."""


NAMED = 3
"""Results that an answer names."""


def told(found: Sequence[Document | None]) -> Turn:
    """The system's turn that names the first results, by whose words the next turn is understood."""
    named = [document for document in found if document is not None][:NAMED]
    if not named:
        return Turn("system", "I found nothing.")
    *others, last = map(called, named)
    text = f"{', '.join(others)} and {last}" if others else last
    names = [name for d in named for name in (d.title, *_makers(d)) if name]
    return Turn("system", f"I found {text}.", tuple(dict.fromkeys(names)))


def _makers(document: Document) -> tuple[str, ...]:
    return next((document.values(key) for key in BY if document.values(key)), ())


class Dialogue(Protocol):
    """Decides what a user's turn asks for."""

    def next_actions(self, text: str, context: Context) -> Sequence[Action]:
        """At least one action for the turn `text`; `context.turns` are those before it.

        The argument `query` of a "search" is what is searched for, else the turn as it is. Called
        by several threads at a time.
        """


class SearchOnly:
    """Searches for whatever is said; the engine sees the turns before it."""

    def next_actions(self, text: str, context: Context) -> Sequence[Action]:
        """One search."""
        del context
        return (Action(SEARCH, {"query": text}),)
