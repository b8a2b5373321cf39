"""What has been named in a dialogue so far, most recent first: where arguments can point to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversation.actions import CONFIRM
from conversation.base import AnnotatedTurn


@dataclass(frozen=True, slots=True)
class Mention:
    """A value named in a turn: `surface` is how it was written there."""

    turn: int
    speaker: str
    field: str
    value: str
    surface: str


class Memory:
    """The mentions of a dialogue, in order."""

    def __init__(self) -> None:
        self.turns = 0
        self.mentions: list[Mention] = []
        self.confirmed: Mapping[str, str] = {}
        """What the last turn asked to be confirmed."""

    def take(self, turn: AnnotatedTurn) -> None:
        """Add a turn's slots."""
        for slot in turn.slots:
            surface = turn.text[slot.start : slot.end]
            self.mentions.append(Mention(self.turns, turn.speaker, slot.name, slot.value, surface))
        confirmed = [action.arguments for action in turn.actions if action.name == CONFIRM]
        self.confirmed = confirmed[0] if confirmed and turn.speaker == "system" else {}
        self.turns += 1

    def recent(self, field: str) -> Sequence[Mention]:
        """The field's distinct values, each in its latest mention, the latest first."""
        found: dict[str, Mention] = {}
        for mention in reversed(self.mentions):
            if mention.field == field:
                found.setdefault(mention.value.casefold(), mention)
        return [*found.values()]

    def place(self, field: str, value: str) -> int | None:
        """Which of the `recent` values of the field it is, None where it was not named."""
        for place, mention in enumerate(self.recent(field)):
            if mention.value.casefold() == value.casefold():
                return place
        return None

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields named so far."""
        return tuple(dict.fromkeys(mention.field for mention in self.mentions))
