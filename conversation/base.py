"""The types that the parts of a conversation hand each other, and that training reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Slot:
    """Characters [start, end) of a turn's text, which name `value` of the field `name`."""

    name: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, with its arguments by name."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnnotatedTurn:
    """A turn with what it means.

    `slots`: the fields named in it; `actions`: of a user's turn, what the system is to do next; of a
    system's turn, what it does; `rewrite`: what the user's turn would be if nothing had been said
    before, None where nobody wrote it, equal to `text` where it stands alone. `wants`: of a user's
    turn, the declared action the user is after by then with all arguments given so far, whether or
    not it can be called yet; None where nobody noted it.
    """

    speaker: Literal["user", "system"]
    text: str
    slots: tuple[Slot, ...] = ()
    actions: tuple[Action, ...] = ()
    rewrite: str | None = None
    wants: Action | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A whole conversation, in order."""

    id: str
    turns: tuple[AnnotatedTurn, ...]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A query as it would stand alone, and how sure that is, in [0, 1]; the query itself where it was
    left alone."""

    text: str
    confidence: float
