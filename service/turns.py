"""Turns of a conversation as they come in and go out: whatever is needed of them later goes to the client
and comes back with its next line, so that nothing about a conversation is kept here."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from conversation.base import Action, AnnotatedTurn, Slot
from conversation.dialogues_file import turn_to_json
from engine import Turn
from engine.talking import plain_turn
from service.fields import Id, Name, Strict, Text, Value

CHARACTERS = 2_000
"""Of a turn, at most."""
SLOTS = 20
"""Of a turn, at most."""
Place = Annotated[int, Field(ge=0, le=CHARACTERS)]


class SlotIn(Strict):
    """Characters [start, end) of a turn's text, which name `value` of the field `name`."""

    name: Name
    value: Value
    start: Place
    end: Place

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start > self.end:
            raise ValueError(f"found the end {self.end} before the start {self.start}")
        return self


class ActionIn(Strict):
    """Something to do, with its arguments."""

    name: Annotated[Text, Field(max_length=100)]
    arguments: dict[Name, Value] = Field(default_factory=dict, max_length=50)

    def action(self) -> Action:
        """As a dialogue manager has it."""
        return Action(self.name, self.arguments)


class TurnIn(Strict):
    """One utterance so far; `entities`: the names in it.

    `slots`, `actions` and `wants` are what an answer said of the turn. They are optional and taken for
    what was meant in this conversation, nothing more; without them a dialogue manager remembers less.
    """

    speaker: Literal["user", "system"]
    text: Annotated[Text, Field(max_length=CHARACTERS)]
    entities: list[Id] = Field(default_factory=list, max_length=100)
    slots: list[SlotIn] = Field(default_factory=list, max_length=SLOTS)
    actions: list[ActionIn] = Field(default_factory=list, max_length=10)
    wants: ActionIn | None = None

    def turn(self) -> Turn:
        """As searches have it."""
        return Turn(self.speaker, self.text, tuple(self.entities or (s.value for s in self.slots)))

    def annotated(self) -> AnnotatedTurn:
        """As a dialogue manager has it; a slot beyond the text ends where the text does."""
        return AnnotatedTurn(
            self.speaker,
            self.text,
            tuple(Slot(s.name, s.value, s.start, s.end) for s in self.slots),
            tuple(one.action() for one in self.actions),
            wants=None if self.wants is None else self.wants.action(),
        )


def turn_out(turn: AnnotatedTurn) -> dict[str, Any]:
    """A turn that a `TurnIn` takes."""
    names = [name for name in plain_turn(turn).entities if name]
    kept = replace(turn, slots=turn.slots[:SLOTS], rewrite=None)
    return {"entities": names, "slots": [], **turn_to_json(kept)}
