"""What speakers of a simulated dialogue can do: moves, with their words, learnt from samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from conversation.actions import ASK, CONFIRM, CONVERSING, DONTCARE
from conversation.base import Action, AnnotatedTurn, Dialogue
from conversation.memory import Memory
from conversation.wording import BEFORE, REPLACED, learnt_rewrite, template_of

Doings = tuple[str, ...]
"""Actions by what is said of them, see `signature`."""
After = tuple[Doings, int, str]
"""What a move follows: the system's actions, how many things it named, and of which type."""
START: After = ((), 0, "")


@dataclass(frozen=True, slots=True)
class Recall:
    """A value named before: the `nth` latest of its field (0 = last), at most `age` turns ago.

    `wanted`: it was an argument of what was wanted before, and has to be again.
    """

    field: str
    nth: int
    age: int
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """A slot of the move's own words; `fixed` is its value and words where these stay as they are."""

    field: str
    fixed: tuple[str, str] | None = None
    recall: Recall | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where an argument's value comes from: an own slot, a value named before, what was wanted
    before (`value`, where it has to be that), what was to be confirmed, or always the same."""

    kind: Literal["own", "recall", "kept", "confirmed", "constant"]
    place: int = 0
    recall: Recall | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Doing:
    """An action with sources for values; `keeps`: on top of all that was wanted before."""

    name: str
    keeps: bool
    arguments: tuple[tuple[str, Source], ...]


@dataclass(frozen=True, slots=True)
class UserMove:
    """A user's turn as a template, and what it leads to."""

    after: After
    text: str
    own: tuple[Own, ...]
    rewrite: str | None
    recalled: tuple[Recall, ...]
    actions: tuple[Doing, ...]
    wants: Doing | None
    wanted: frozenset[str]
    """Names of the arguments wanted before."""

    @property
    def corrects(self) -> bool:
        """Whether it gives another value to what was wanted already."""
        return any(own.field in self.wanted and own.recall is None for own in self.own)


@dataclass(frozen=True, slots=True)
class SystemMove:
    """A system's turn as a template: its slots are (field, which thing named, fixed words)."""

    actions: Doings
    text: str
    slots: tuple[tuple[str, int, tuple[str, str] | None], ...]

    type: str
    """The type of the things it names, empty where they have none."""

    @property
    def after(self) -> After:
        """What can follow it."""
        things = 1 + max((at for _, at, fixed in self.slots if fixed is None), default=-1)
        does = (CONFIRM if a.startswith(CONFIRM) else a for a in self.actions)
        return tuple(does), things, self.type


def wanted(turn: AnnotatedTurn, before: Action | None) -> Action | None:
    """What the user is after: as noted, else the first declared action to do, else as before."""
    called = (action for action in turn.actions if action.name not in CONVERSING)
    return turn.wants or next(called, before)


class Moves:
    """The moves of some sample dialogues.

    `open` are the fields whose values a catalogue has, `plain` the other arguments of actions that
    leave what the system says of them alone, `types` the fields that are titles, whose owner last.
    """

    def __init__(
        self,
        samples: Iterable[Dialogue],
        open: frozenset[str],
        plain: frozenset[str],
        types: tuple[str, ...],
    ) -> None:
        self.open, self.plain, self.types = open, plain, types
        self.user: dict[After, list[UserMove]] = {}
        self.system: dict[Doings, list[SystemMove]] = {}
        samples = [*samples]
        self.defaults: dict[str, dict[str, str]] = {}
        """Arguments that the system adds when it asks to confirm an action, by the action."""
        self.words = _words(samples, open)
        for dialogue in samples:
            self._learn(dialogue)

    @property
    def openings(self) -> list[UserMove]:
        """Moves that begin a dialogue."""
        return self.user.get(START, [])

    def _learn(self, dialogue: Dialogue) -> None:
        memory, after = Memory(), START
        before: Action | None = None
        rewritten: str | None = None
        for turn in dialogue.turns:
            if turn.speaker == "user":
                move = self._user(turn, after, memory, before, rewritten)
                if move is not None:
                    self.user.setdefault(after, []).append(move)
                before, rewritten = wanted(turn, before), turn.rewrite
                self._defaults(turn, before)
            else:
                said = self._system(turn, before)
                self.system.setdefault(said.actions, []).append(said)
                after = said.after
            memory.take(turn)

    def signature(self, actions: Sequence[Action], wants: Action | None) -> Doings:
        """The actions' names, each with the values that change what is said: the argument asked for
        and of which action, the fact told, what is confirmed that has no slot of its own."""

        def of(action: Action) -> str:
            plain = frozenset({"name"}) if action.name in CONVERSING else self.plain
            given = action.arguments.items()
            told = [value for name, value in given if name not in self.open | plain]
            asked = [wants.name] if action.name == ASK and wants else []
            return ":".join([action.name, *told, *asked])

        return tuple(of(action) for action in actions)

    def _defaults(self, turn: AnnotatedTurn, wants: Action | None) -> None:
        for action in turn.actions:
            if action.name == CONFIRM and wants is not None:
                given = action.arguments.items()
                added = {n: v for n, v in given if n not in self.open | wants.arguments.keys()}
                for name, value in added.items():
                    self.defaults.setdefault(wants.name, {}).setdefault(name, value)

    def _system(self, turn: AnnotatedTurn, wants: Action | None) -> SystemMove:
        counts: dict[str, int] = {}
        slots: list[tuple[str, int, tuple[str, str] | None]] = []
        for slot in turn.slots:
            if slot.name in self.open:
                slots.append((slot.name, counts.get(slot.name, 0), None))
                counts[slot.name] = counts.get(slot.name, 0) + 1
            else:
                slots.append((slot.name, 0, (slot.value, turn.text[slot.start : slot.end])))
        named = {slot.name for slot in turn.slots}
        type = next((type for type in self.types if type in named), "")
        does = self.signature(turn.actions, wants)
        return SystemMove(does, template_of(turn), tuple(slots), type)

    def _user(
        self,
        turn: AnnotatedTurn,
        after: After,
        memory: Memory,
        before: Action | None,
        rewritten: str | None,
    ) -> UserMove | None:
        own = tuple(self._own(turn, at, memory) for at in range(len(turn.slots)))
        old = dict(before.arguments) if before else {}
        rewrite, fields = learnt_rewrite(turn, memory, old, rewritten, self.open, self.words)
        recalled = tuple(_recall(memory, field, nth, old) for field, nth in fields)
        whole = rewrite is None or BEFORE in rewrite or REPLACED in rewrite
        whole = whole and after != START
        doings = tuple(self._doing(a, turn, memory, old, whole) for a in turn.actions)
        keeps = after != START
        wants = self._doing(turn.wants, turn, memory, old, keeps) if turn.wants else None
        every = [*doings, *([wants] if wants else [])]
        constants = [(n, s.value) for d in every for n, s in d.arguments if s.kind == "constant"]
        if any(name in self.open and value != DONTCARE for name, value in constants):
            return None  # a value from nowhere would follow the move into every dialogue
        text = template_of(turn)
        return UserMove(after, text, own, rewrite, recalled, doings, wants, frozenset(old))

    def _own(self, turn: AnnotatedTurn, at: int, memory: Memory) -> Own:
        slot = turn.slots[at]
        if slot.name not in self.open:
            return Own(slot.name, (slot.value, turn.text[slot.start : slot.end]))
        place = memory.place(slot.name, slot.value)
        recent = place is not None and memory.recent(slot.name)[place].turn >= memory.turns - 1
        return Own(slot.name, None, _recall(memory, slot.name, place or 0, {}) if recent else None)

    def _doing(
        self,
        action: Action,
        turn: AnnotatedTurn,
        memory: Memory,
        old: Mapping[str, str],
        whole: bool,
    ) -> Doing:
        given = action.arguments
        told = {slot.name for slot in turn.slots}
        kept = {
            n for n, v in old.items() if n in told or given.get(n, "").casefold() == v.casefold()
        }
        keeps = whole and kept == old.keys() and {*old} <= {*given}
        sources = []
        for name, value in given.items():
            source = self._source(name, value, turn, memory, old)
            if not (keeps and name in old and source.kind != "own"):
                sources.append((name, source))
        return Doing(action.name, keeps, tuple(sources))

    def _source(
        self, name: str, value: str, turn: AnnotatedTurn, memory: Memory, old: Mapping[str, str]
    ) -> Source:
        slots = [*enumerate(turn.slots)]
        for at, slot in sorted(slots, key=lambda each: each[1].name != name):
            if slot.value.casefold() == value.casefold():
                return Source("own", at)
        if name not in self.open and memory.confirmed.get(name) == value:
            return Source("confirmed")
        for field in (name, *memory.fields):
            if field in self.open and (place := memory.place(field, value)) is not None:
                return Source("recall", recall=_recall(memory, field, place, old))
        if old.get(name, "").casefold() == value.casefold():
            return Source("kept", value="" if name in self.open else value)
        return Source("constant", value=value)


def _words(
    samples: Iterable[Dialogue], open: frozenset[str]
) -> Mapping[tuple[str, str], frozenset[str]]:
    """What the values of other fields are called by users: latest, newest."""
    found: dict[tuple[str, str], set[str]] = {}
    for turn in (turn for dialogue in samples for turn in dialogue.turns):
        for slot in turn.slots:
            if turn.speaker == "user" and slot.name not in open:
                words = turn.text[slot.start : slot.end]
                found.setdefault((slot.name, slot.value), set()).add(words)
    return {value: frozenset(words) for value, words in found.items()}


def _recall(memory: Memory, field: str, nth: int, old: Mapping[str, str]) -> Recall:
    mention = memory.recent(field)[nth]
    wanted = old.get(field, "").casefold() == mention.value.casefold()
    return Recall(field, nth, memory.turns - mention.turn, wanted)
