"""One turn of a dialogue as a dialogue manager sees it: words, and for each slot the candidates that
its value can be pointed at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conversation.actions import CONVERSING, DONTCARE, Declared, Parameter
from conversation.base import Action, AnnotatedTurn
from conversation.domain import Domain
from conversation.memory import Memory, Mention
from conversation.words import plain_words, words_of

Floats = NDArray[np.float32]

TOKENS, MENTIONS, CHOICES = 72, 5, 12
CALL = "call"
ACTS = (CALL, *CONVERSING)
"""What the system can do next, in the order of the columns."""
KINDS = ("none", "keep", "span", "system", "user", "choice", DONTCARE)
TOKEN_FLAGS, SLOT_COLUMNS, CANDIDATE_COLUMNS, ACTION_COLUMNS = 4, 12, len(KINDS) + 13, 6
STATE_COLUMNS = len(ACTS) + 9


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that a slot can have after the turn; None for none, and for words of the turn itself
    (`kind` is "span")."""

    kind: str
    value: str | None
    mention: Mention | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TurnFeatures:
    """A user's turn in its dialogue. S slots, A actions, C candidates a slot, T words.

    `flags` (T, 4); `user` (T,) whether a word is the user's; `slots` (S, columns); `candidates`
    (S, C, columns), `present` (S, C); `actions` (A + 1, columns), the last for none.
    """

    words: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    flags: Floats
    user: NDArray[np.bool_]
    slots: Floats
    options: tuple[tuple[Candidate, ...], ...]
    candidates: Floats
    present: NDArray[np.bool_]
    actions: Floats
    system: tuple[str, ...]
    """Names of the system's last acts."""


def same(a: str, b: str) -> bool:
    """Whether two values are the same but for case, signs and space."""
    return _key(a) == _key(b)


def _key(value: str) -> str:
    return re.sub(r"[\W_]+", " ", value.casefold()).strip()


def acts_of(actions: Sequence[Action], domain: Domain) -> tuple[str, ...]:
    """The acts, declared actions as `CALL`."""
    return tuple(dict.fromkeys(CALL if a.name in domain.actions else a.name for a in actions))


def remembered(turns: Sequence[AnnotatedTurn], domain: Domain) -> Memory:
    """The slots named in turns; of the system's also the values in what it does."""
    memory = Memory()
    names = {slot.name for slot in domain.slots}
    for turn in turns:
        memory.take(turn)
        if turn.speaker == "system":
            said = {slot.name for slot in turn.slots}
            for action in turn.actions:
                if action.name not in domain.actions:
                    for name, value in action.arguments.items():
                        if name in names and name not in said:
                            at = memory.turns - 1
                            memory.mentions.append(Mention(at, "system", name, value, value))
    return memory


def turn_features(
    domain: Domain, before: Sequence[AnnotatedTurn], turn: AnnotatedTurn, wants: Action | None
) -> TurnFeatures:
    """The features of a user's turn after others; `wants` is what was wanted before it."""
    system = before[-1] if before and before[-1].speaker == "system" else None
    heard = words_of(system.text)[-(TOKENS // 2) :] if system else []
    said = words_of(turn.text)[: TOKENS - len(heard)] or [("", 0, 0)]
    memory = remembered([*before, turn], domain)
    view = _View(domain, memory, turn, system, wants)
    options = tuple(view.options(slot) for slot in domain.slots)
    width = max(len(each) for each in options) if options else 1
    candidates = np.zeros((len(options), width, CANDIDATE_COLUMNS), np.float32)
    present = np.zeros((len(options), width), np.bool_)
    for s, each in enumerate(options):
        for c, candidate in enumerate(each):
            candidates[s, c] = view.candidate(domain.slots[s], candidate)
            present[s, c] = True
    named = {
        word
        for m in memory.mentions
        if system and m.turn == memory.turns - 2
        for word, _, _ in words_of(m.surface)
    }
    every = [*((w, s, e, False) for w, s, e in heard), *((w, s, e, True) for w, s, e in said)]
    flags = np.array(
        [[u, _capital(turn, s) if u else 0, w.isdigit(), w in named] for w, s, _, u in every],
        np.float32,
    )
    slots = [view.slot(slot) for slot in domain.slots]
    actions = [view.action(name) for name in (*domain.actions.by_name, None)]
    return TurnFeatures(
        tuple(word for word, _, _, _ in every),
        tuple((start, end) for _, start, end, _ in every),
        flags,
        np.array([mine for _, _, _, mine in every], np.bool_),
        np.array(slots, np.float32).reshape(len(slots), SLOT_COLUMNS),
        options,
        candidates,
        present,
        np.array(actions, np.float32),
        acts_of(system.actions, domain) if system else (),
    )


def _capital(turn: AnnotatedTurn, start: int) -> bool:
    return turn.text[start : start + 1].isupper()


class _View:
    """What the columns are read from."""

    def __init__(
        self,
        domain: Domain,
        memory: Memory,
        turn: AnnotatedTurn,
        system: AnnotatedTurn | None,
        wants: Action | None,
    ) -> None:
        self.domain, self.memory, self.wants = domain, memory, wants
        self.old: Mapping[str, str] = wants.arguments if wants else {}
        self.said = f" {_key(turn.text)} "
        self.heard = f" {_key(system.text)} " if system else ""
        self.said_words, self.heard_words = {*self.said.split()}, {*self.heard.split()}
        self.acts = system.actions if system else ()
        self.recent = {slot.name: memory.recent(slot.name)[:MENTIONS] for slot in domain.slots}

    def options(self, slot: Parameter) -> tuple[Candidate, ...]:
        found = [Candidate("none", None)]
        if slot.name in self.old:
            found.append(Candidate("keep", self.old[slot.name]))
        found.append(Candidate("span", None))
        found += [Candidate(m.speaker, m.value, m) for m in self.recent[slot.name]]
        found += [Candidate("choice", choice) for choice in slot.choices[:CHOICES]]
        found.append(Candidate(DONTCARE, DONTCARE))
        return tuple(found)

    def candidate(self, slot: Parameter, candidate: Candidate) -> list[float]:
        kinds = [float(candidate.kind == kind) for kind in KINDS]
        value = _key(candidate.value or "")
        words = {*value.split()}
        age = self.memory.turns - 1 - candidate.mention.turn if candidate.mention else -1
        turn = [
            m
            for m in self.recent[slot.name]
            if candidate.mention and m.turn == candidate.mention.turn
        ]
        # The latest mention comes first, so a turn's first one is its last here.
        nth = len(turn) - 1 - turn.index(candidate.mention) if candidate.mention else -1
        return [
            *kinds,
            *(float(age == n) for n in range(3)),
            float(age > 2),
            *(float(nth == n) for n in range(3)),
            float(len(turn) > 1),
            float(slot.name in self.old and same(candidate.value or "", self.old[slot.name])),
            len(words & self.said_words) / max(len(words), 1),
            float(bool(value) and f" {value} " in self.said),
            len(words & self.heard_words) / max(len(words), 1),
            float(bool(candidate.mention) and candidate.mention == self.recent[slot.name][0]),
        ]

    def slot(self, slot: Parameter) -> list[float]:
        last = self.memory.turns - 2
        named = [m for m in self.recent[slot.name] if m.turn == last and m.speaker == "system"]
        words = {*plain_words(slot.name)}
        wanted = self._declared(self.wants.name if self.wants else "")
        return [
            float(slot.name in self.old),
            float(
                any(slot.name == a.arguments.get("argument") for a in self.acts if a.name == "ask")
            ),
            float(any(slot.name in a.arguments for a in self.acts if a.name == "confirm")),
            float(
                any(
                    slot.name == a.arguments.get("argument")
                    for a in self.acts
                    if a.name == "inform"
                )
            ),
            float(len(named) == 1),
            float(len(named) > 1),
            float(bool(slot.choices)),
            float(bool(wanted and slot.name in wanted.required)),
            float(bool(wanted and wanted.parameter(slot.name))),
            len(words & self.said_words) / max(len(words), 1),
            len(words & self.heard_words) / max(len(words), 1),
            float(any(d.parameter(slot.name) for d in self.domain.actions.by_name.values())),
        ]

    def action(self, name: str | None) -> list[float]:
        declared = self._declared(name or "")
        missing = [n for n in declared.required if n not in self.old] if declared else []
        return [
            float(name is None),
            float((self.wants.name if self.wants else "") == (name or "")),
            float(any(a.arguments.get("action") == name for a in self.acts if name)),
            float(any(a.name == name for a in self.acts)),
            float(bool(declared and declared.confirmed)),
            float(bool(missing)),
        ]

    def _declared(self, name: str) -> Declared | None:
        return self.domain.actions.get(name)


def state_columns(
    domain: Domain, features: TurnFeatures, before: Action | None, wants: Action
) -> Floats:
    """What the system's next acts depend on beside the words: shape (STATE_COLUMNS,)."""
    declared = domain.actions.get(wants.name)
    old = before.arguments if before else {}
    changed = {n for n, v in wants.arguments.items() if not same(old.get(n, ""), v)}
    missing = [n for n in declared.required if n not in wants.arguments] if declared else []
    return np.array(
        [
            *(float(act in features.system) for act in ACTS),
            float(not features.system),
            float(declared is None),
            float(bool(declared and declared.confirmed)),
            float(bool(missing)),
            float((before.name if before else "") != wants.name),
            float(bool(changed)),
            float(len(wants.arguments) == 0),
            float(bool(declared and changed & {p.name for p in declared.parameters})),
            float("confirm" in features.system and not changed),
        ],
        np.float32,
    )
