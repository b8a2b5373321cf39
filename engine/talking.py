"""A conversation with an engine: what is said, found, done and chosen, turn after turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from conversation.base import Action, AnnotatedTurn, Slot
from engine.errors import BadInput
from engine.response import Hit, Response
from engine.search_engine import SearchEngine
from engine.understanding import readings_of
from retrievers.base import Context, Document, Query, Span, Turn
from retrievers.query_words import RANGE, YEAR

NAMED = 3
"""Results that an answer names."""
BY = ("artist", "artists", "author", "authors", "creator", "brand")
"""Metadata that says whose work an item is."""
PLAY, ASK, ASK_WHICH, MORE, STOP = "play", "ask", "ask_which", "ask_more", "stop"
"""Actions that are more than showing what was found."""
SLOTS = {"type": "kind", "order": "sort"}
"""What readings call otherwise than the arguments of actions."""


class Decided(Protocol):
    """What a dialogue manager decides: what the user wants by now, and what to do next."""

    @property
    def wants(self) -> Action:
        """The action the user is after by now, its name empty where none is."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What to do next."""


class Decides(Protocol):
    """A dialogue manager (see `conversation.dialogue`)."""

    def decide(
        self, before: Sequence[AnnotatedTurn], turn: AnnotatedTurn, wants: Action | None
    ) -> Decided:
        """What a user's turn after others leads to; `wants` is what the last decision said."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, what it was found by, and what is done: nothing but showing it where nobody
    decides."""

    text: str
    response: Response
    actions: tuple[Action, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether the conversation is over."""
        return any(action.name == STOP for action in self.actions)


class Talk:
    """One conversation. Every line is a search in the context of those before it.

    `context`: who is talking, and everything else but the turns. `manager` decides what is done with
    what was found; without one it is shown.
    """

    def __init__(
        self,
        engine: SearchEngine,
        context: Context | None = None,
        k: int = 10,
        manager: Decides | None = None,
    ) -> None:
        self.last: Response | None = None
        self._engine, self._k, self._manager = engine, k, manager
        self._context = context or Context()
        self._before: tuple[AnnotatedTurn, ...] = ()
        self._wants: Action | None = None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was said so far."""
        return tuple(
            Turn(turn.speaker, turn.text, tuple(slot.value for slot in turn.slots))
            for turn in self._before
        )

    def say(self, text: str) -> Reply:
        """Search for what is said, and do what is due."""
        context = replace(self._context, turns=self.turns)
        response = self._engine.search(text, context, self._k)
        said = AnnotatedTurn("user", text)
        actions: tuple[Action, ...] = ()
        if self._manager is not None:
            said = replace(said, slots=self._slots(text, context))
            decided = self._manager.decide(self._before, said, self._wants)
            self._wants, actions = decided.wants, decided.actions
        found = [hit.document for hit in response.hits]
        answer = _answered(actions, found)
        self.last = response
        self._before = (*self._before, said, answer)
        return Reply(answer.text, response, actions)

    def choose(self, rank: int) -> Hit:
        """Take a result of the last search, from 1; recorded as a click."""
        hits = () if self.last is None else self.last.hits
        if self.last is None or not 1 <= rank <= len(hits):
            raise BadInput(
                f"choose: found {rank}, expected the number of a result, 1 to {len(hits)}"
            )
        hit = hits[rank - 1]
        self._engine.feedback(self.last.impression_id, clicks=[hit.id])
        self._before = (*self._before, _answered((Action(PLAY),), [hit.document]))
        return hit

    def _slots(self, text: str, context: Context) -> tuple[Slot, ...]:
        read = readings_of(self._engine.state, Query(text, context))
        return tuple(map(_slot, read[0].spans)) if read else ()


def _slot(span: Span) -> Slot:
    """A span as an argument of an action: ten years are a decade."""
    field, value = span.field.removeprefix("-"), span.value
    low, between, high = value.partition(RANGE)
    if field == YEAR and between and low.endswith("0") and high == f"{low[:-1]}9":
        field, value = "decade", f"{low}s"
    name = SLOTS.get(field, field)
    named = name if span.field[0] != "-" else f"not_{name}"
    return Slot(named, value, span.start, span.end)


def _answered(actions: Sequence[Action], found: Sequence[Document]) -> AnnotatedTurn:
    """What is said of actions and of what was found; of several the first that says something."""
    for action in actions:
        argument = str(next(iter(action.arguments.values()), ""))
        if action.name == STOP:
            return AnnotatedTurn("system", "Bye.", (), tuple(actions))
        if action.name == ASK:
            return AnnotatedTurn("system", f"Which {argument or 'one'}?", (), tuple(actions))
        if action.name == ASK_WHICH:
            same = [d for d in found if d.title.casefold() == argument.casefold()] or list(found)
            return _told("Do you mean ", same[:2], " or ", "?", actions)
        if action.name == MORE:
            return AnnotatedTurn("system", "Anything else?", (), tuple(actions))
        if action.name == PLAY and found:
            return _told("Playing ", found[:1], "", ".", actions)
    if not found:
        return AnnotatedTurn("system", "I found nothing.", (), tuple(actions))
    return _told("I found ", found[:NAMED], ", ", ".", actions)


def _told(
    head: str, documents: Sequence[Document], between: str, end: str, actions: Iterable[Action]
) -> AnnotatedTurn:
    """A turn that names documents, with its slots."""
    text, slots = head, []
    for place, document in enumerate(documents):
        if place:
            text += " and " if between == ", " and place == len(documents) - 1 else between
        parts = [(document.type or "title", document.title or document.id)]
        parts += [(key, value) for key in BY for value in document.values(key)][:1]
        for number, (name, value) in enumerate(parts):
            text += " by " if number else ""
            slots.append(Slot(name, value, len(text), len(text) + len(value)))
            text += value
    return AnnotatedTurn("system", text + end, tuple(slots), tuple(actions))


def called(document: Document) -> str:
    """A title and whose work it is."""
    by = next((", ".join(document.values(key)) for key in BY if document.values(key)), "")
    title = document.title or document.id
    return f"{title} by {by}" if by else title
