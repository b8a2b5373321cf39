"""A conversation with an engine: what is said, found, done and chosen, turn after turn."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from conversation.actions import MORE, STOP
from conversation.base import Action, AnnotatedTurn, Slot
from engine.checks import check_query
from engine.errors import BadInput
from engine.response import Hit, Response
from engine.saying import About, playing, said_of
from engine.search_engine import SearchEngine
from engine.understanding import readings_of
from retrievers.base import Context, Query, Span, Turn
from retrievers.query_words import RANGE, YEAR

SLOTS = {"type": "kind", "order": "sort"}
"""What readings call otherwise than the arguments of actions."""
QUERY = "query"
"""The argument of an action that is searched for in place of the turn."""


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
    decides.

    `response` is None where nothing is left to search for: the user wants no more. `about`: the item
    that is played, or those to choose from. `turns`: the user's and the system's, for the next line.
    `notes`: what was degraded.
    """

    text: str
    response: Response | None
    actions: tuple[Action, ...] = ()
    about: tuple[About, ...] = ()
    turns: tuple[AnnotatedTurn, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether the conversation is over."""
        return any(action.name == STOP for action in self.actions)


def reply_to(
    engine: SearchEngine,
    text: str,
    before: Sequence[AnnotatedTurn],
    context: Context,
    k: int,
    manager: Decides | None,
) -> Reply:
    """What a line leads to after the turns `before`, in a context whose turns are theirs.

    A manager decides what is done, and the line is searched for once, unless nothing more is wanted;
    a manager that fails costs a note.
    """
    check_query(text, engine.config)
    said = AnnotatedTurn("user", text)
    actions: tuple[Action, ...] = ()
    notes: tuple[str, ...] = ()
    if manager is not None:
        try:
            said, actions = _decided(engine, manager, said, before, context)
        except Exception as e:
            logging.getLogger(__name__).exception("the dialogue manager failed")
            notes = (f"dialogue manager: failed, only searched ({type(e).__name__}: {e})",)
    response = None
    if not actions or any(action.name not in (STOP, MORE) for action in actions):
        asked = next((a.arguments[QUERY] for a in actions if QUERY in a.arguments), text)
        response = engine.search(asked[: engine.config.max_query_chars], context, k)
    answer = said_of(actions, [hit.document for hit in response.hits] if response else [])
    turns = (said, answer.turn)
    return Reply(answer.turn.text, response, actions, answer.about, turns, notes)


def _decided(
    engine: SearchEngine,
    manager: Decides,
    said: AnnotatedTurn,
    before: Sequence[AnnotatedTurn],
    context: Context,
) -> tuple[AnnotatedTurn, tuple[Action, ...]]:
    """The user's turn with what it means, and what to do."""
    read = readings_of(engine.state, Query(said.text, context))
    said = replace(said, slots=tuple(map(_slot, read[0].spans)) if read else ())
    wants = next((turn.wants for turn in reversed(before) if turn.speaker == "user"), None)
    decided = manager.decide(before, said, wants)
    return replace(said, wants=decided.wants), decided.actions


def plain_turn(turn: AnnotatedTurn) -> Turn:
    """A turn as searches know it: the words, and the names in them."""
    return Turn(turn.speaker, turn.text, tuple(dict.fromkeys(slot.value for slot in turn.slots)))


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

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was said so far."""
        return tuple(map(plain_turn, self._before))

    def say(self, text: str) -> Reply:
        """Search for what is said, and do what is due."""
        context = replace(self._context, turns=self.turns)
        reply = reply_to(self._engine, text, self._before, context, self._k, self._manager)
        self.last = reply.response or self.last
        self._before = (*self._before, *reply.turns)
        return reply

    def choose(self, rank: int) -> Hit:
        """Take a result of the last search, from 1; recorded as a click."""
        hits = () if self.last is None else self.last.hits
        if self.last is None or not 1 <= rank <= len(hits):
            raise BadInput(
                f"choose: found {rank}, expected the number of a result, 1 to {len(hits)}"
            )
        hit = hits[rank - 1]
        self._engine.feedback(self.last.impression_id, clicks=[hit.id])
        self._before = (*self._before, playing(hit.document).turn)
        return hit


def _slot(span: Span) -> Slot:
    """A span as an argument of an action: ten years are a decade."""
    field, value = span.field.removeprefix("-"), span.value
    low, between, high = value.partition(RANGE)
    if field == YEAR and between and low.endswith("0") and high == f"{low[:-1]}9":
        field, value = "decade", f"{low}s"
    name = SLOTS.get(field, field)
    named = name if span.field[0] != "-" else f"not_{name}"
    return Slot(named, value, span.start, span.end)
