"""Where a simulated dialogue stands, and what its user chose to do next."""

from __future__ import annotations

from dataclasses import dataclass, field

from conversation.base import Action, AnnotatedTurn
from conversation.memory import Memory
from conversation.moves import START, After, UserMove

Said = tuple[str, str, str]
"""A slot: field, value, words."""


@dataclass(slots=True)
class Scene:
    """Where a dialogue stands."""

    memory: Memory = field(default_factory=Memory)
    turns: list[AnnotatedTurn] = field(default_factory=list)
    targets: list[tuple[int, ...]] = field(default_factory=list)
    after: After = START
    topic: int = 0
    """The turn with which the present topic began; nothing before it is referred to."""
    wants: Action | None = None
    rewritten: str | None = None
    found: tuple[int, ...] = ()
    offered: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Choice:
    """A move with its places filled: what will be said and done."""

    move: UserMove
    slots: tuple[Said, ...]
    actions: tuple[Action, ...]
    wants: Action | None
    rows: tuple[int, ...]
    """Documents that the actions bring, best first."""
