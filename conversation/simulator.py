"""Annotated dialogues by the ten thousand, played out by two agents over a catalogue.

After Acharya et al. 2021, "Alexa Conversations", section 3: a handful of sample dialogues is taken
apart into moves, whose values are pointed at; a user with sampled goals and a system over the
catalogue put moves together anew, wherever what a move follows and points to is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from conversation.actions import ASK, ASK_WHICH, STOP, Actions
from conversation.base import AnnotatedTurn, Dialogue
from conversation.general_moves import GeneralMoves, words_for
from conversation.moves import START, Moves, UserMove
from conversation.phrasing import Paraphrase, Rng, bare, padded, slipped, spoken
from conversation.scene import Choice, Said, Scene
from conversation.speaking import Manner, filled, said
from conversation.system_agent import System
from conversation.user_agent import User
from conversation.wording import BEFORE, REPLACED
from conversation.world import KIND, NOT, SORT, Finder, World
from retrievers.base import Document

TRIES = 12
"""Moves tried at a turn before the dialogue ends."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How simulated users behave; rates are probabilities a turn unless said otherwise."""

    turns: tuple[int, int] = (2, 8)
    """The least and most turns of the user."""
    new_topic: float = 0.12
    """Something else instead of a follow-up: a change of mind."""
    digression: float = 0.3
    """Something else in place of the answer to a question, of the rate above."""
    correction: float = 1.0
    """Weight of correcting oneself among the follow-ups that fit."""
    early_end: float = 0.15
    """Weight of ending before the planned length among the follow-ups that fit."""
    general: float = 0.0
    """Moves and words of `conversation.general_moves` instead of the samples'."""
    paraphrase: float = 0.35
    """Of each phrase that has others of the same meaning."""
    filler: float = 0.06
    slip: float = 0.08
    """In a name; as often in another word."""
    alias: float = 0.15
    """Another name of a document, where it has one."""
    lower: float = 0.5
    """Dialogues all in lower case; half of these have no punctuation."""


HABITS = Habits()


@dataclass(frozen=True, slots=True)
class Played:
    """A dialogue, and for each user's turn the ids of the documents that it is to find, best first;
    none where it looks for nothing."""

    dialogue: Dialogue
    targets: tuple[tuple[str, ...], ...]


class Simulator:
    """Plays out dialogues: the same seed, the same dialogue.

    `documents` are the catalogue; `samples` show what is said and done, with actions on every
    user's turn. An action brings the documents that have its arguments, or what its finder in
    `finders` gives; declared functions are never called. `owner` is the field of who made a thing,
    `also` of its other names.
    """

    def __init__(
        self,
        documents: Iterable[Document],
        actions: Actions,
        samples: Iterable[Dialogue],
        *,
        finders: Mapping[str, Finder] | None = None,
        habits: Habits = HABITS,
        owner: str = "artist",
        also: str = "also",
    ) -> None:
        self.world = World(documents, owner)
        self.habits, self.also = habits, also
        samples = tuple(samples)
        declared = [p for a in actions.by_name.values() for p in a.parameters]
        plain = {p.name for p in declared if p.choices and not p.required} | {KIND, SORT}
        plain |= {p.name for p in declared if p.name.startswith(NOT)}
        marked = {slot.name for d in samples for turn in d.turns for slot in turn.slots}
        # A choice that no sample marks is said in words of its own, whatever documents have.
        open = self.world.names - {KIND} - ({p.name for p in declared if p.choices} - marked)
        types = [type for type, _ in self.world.types.most_common() if type != owner]
        self.moves = Moves(samples, frozenset(open), frozenset(plain), (*types, owner))
        if not self.moves.openings:
            raise ValueError("samples: found no user's turn that begins a dialogue, expected one")
        self.general = GeneralMoves(actions, self.moves) if habits.general else None
        self.user = User(self.world, actions, self.moves, finders or {})
        self.system = System(self.world, self.moves)
        self._alias = {d.title: d.values(also) for d in self.world.documents if d.values(also)}

    def dialogues(self, number: int, seed: int = 0) -> Iterator[Dialogue]:
        """That many dialogues."""
        for at in range(number):
            yield self.play(seed, at).dialogue

    def play(self, seed: int, number: int) -> Played:
        """The dialogue of that number under a seed; some are empty of turns where none fitted."""
        rng = np.random.default_rng([seed, number])
        low, high = self.habits.turns
        length = int(rng.integers(low, high + 1))
        lower = bool(rng.random() < self.habits.lower)
        bare = lower and bool(rng.random() < 0.5)
        manner = Manner(lower, bare, self.habits.slip)
        scene, goal = Scene(), self.user.goal(rng)
        for turn in range(length):
            if not self._exchange(scene, goal, manner, turn, rng):
                break
            if any(action.name == STOP for action in scene.turns[-1].actions):
                break
            if rng.random() < 0.3:
                goal = self.user.goal(rng)
        ids = tuple(
            tuple(self.world.documents[row].id for row in rows[:50]) for rows in scene.targets
        )
        return Played(Dialogue(f"simulated-{seed}-{number}", tuple(scene.turns)), ids)

    def _exchange(self, scene: Scene, goal: int, manner: Manner, turn: int, rng: Rng) -> bool:
        for new, move in self._likely(scene, turn, rng):
            beginning = replace_topic(scene) if new else scene
            choice = self.user.chosen(move, beginning, goal, rng)
            if choice is None:
                continue
            found = self.system.answer(choice, rng, self.general)
            if found is None:
                continue
            spoken_turn = self._said(choice, beginning, manner, rng)
            if spoken_turn is None:
                continue
            if new:
                scene.topic, scene.wants, scene.rewritten = len(scene.turns), None, None
                scene.offered = set()
            system_move, slots, rows = found
            text, marked = said(system_move.text, slots, Manner(), rng)
            answer = AnnotatedTurn("system", text, marked, choice.actions)
            for each in (spoken_turn, answer):
                scene.memory.take(each)
                scene.turns.append(each)
            scene.after = system_move.after
            scene.wants, scene.rewritten = choice.wants, bare(spoken_turn.rewrite or "")
            if system_move.after[1]:
                scene.found = rows
                scene.offered |= {*rows}
            looked = any(a.name in self.user.actions for a in choice.actions)
            scene.targets.append(choice.rows if looked else ())
            return True
        return False

    def _likely(self, scene: Scene, turn: int, rng: Rng) -> Iterator[tuple[bool, UserMove]]:
        """Moves to try in turn, and whether each begins a topic."""
        follow = self.moves.user.get(scene.after, []) if turn else []
        waits = any(does.split(":")[0] in (ASK, ASK_WHICH) for does in scene.after[0])
        rate = self.habits.new_topic * (self.habits.digression if waits else 1.0)
        weights = np.array([self._weight(move) for move in follow])
        general = self.general.user.get(scene.after if turn else START, []) if self.general else []
        for _ in range(TRIES):
            if general and rng.random() < self.habits.general * (1.0 if waits or not turn else 0.3):
                yield False, general[int(rng.integers(len(general)))]
            elif not turn or (not waits and not follow) or rng.random() < rate:
                yield turn > 0, self.moves.openings[int(rng.integers(len(self.moves.openings)))]
            elif follow:
                yield False, follow[int(rng.choice(len(follow), p=weights / weights.sum()))]

    def _weight(self, move: UserMove) -> float:
        if any(doing.name == STOP for doing in move.actions):
            return self.habits.early_end
        return self.habits.correction if move.corrects else 1.0

    def _said(self, choice: Choice, scene: Scene, manner: Manner, rng: Rng) -> AnnotatedTurn | None:
        change = Paraphrase(rng, self.habits.paraphrase)
        slots = tuple(
            self._surface(slot, own.fixed is None, rng)
            for slot, own in zip(choice.slots, choice.move.own, strict=True)
        )
        own = choice.move.text
        others = words_for(choice.move) if self.general else ()
        if others and rng.random() < self.habits.general:
            own = others[int(rng.integers(len(others)))]
        template = padded(change(own), rng, self.habits.filler)
        text, marked = said(template, slots, manner, rng)
        rewrite: str | None = text
        if choice.move.rewrite is not None:
            rewrite = self._rewritten(choice, scene, change, [s for _, _, s in slots], manner)
        if rewrite is None:
            return None
        return AnnotatedTurn("user", text, marked, choice.actions, rewrite, choice.wants)

    def _surface(self, slot: Said, open: bool, rng: Rng) -> Said:
        field, value, words = slot
        if not open:
            return slot
        if words == value:
            names = self._alias.get(value, ())
            if names and rng.random() < self.habits.alias:
                words = names[int(rng.integers(len(names)))]
            else:
                words = spoken(field, value, rng)
        if rng.random() < self.habits.slip:
            words = slipped(words, rng)
        return field, value, words

    def _rewritten(
        self, choice: Choice, scene: Scene, change: Paraphrase, surfaces: list[str], manner: Manner
    ) -> str | None:
        template = choice.move.rewrite or ""
        values = {str(at): surface for at, surface in enumerate(surfaces)}
        if template.startswith(REPLACED):
            _, at, field = template.strip("{}").split(":")
            for mention in scene.memory.recent(field):
                before = scene.rewritten or ""
                place = before.casefold().find(mention.surface.casefold())
                if place >= 0 and len(before.casefold()) == len(before):
                    new = filled(f"{{{at}}}", values, manner)
                    return before[:place] + new + before[place + len(mention.surface) :]
            return None
        if template.startswith(BEFORE):
            if not scene.rewritten:
                return None
            before = scene.rewritten.rstrip(".!?")
            return f"{before} {filled(template.removeprefix(BEFORE), values, manner)}"
        for recall in choice.move.recalled:
            mention = scene.memory.recent(recall.field)[recall.nth]
            values[f"{recall.field}~{recall.nth}"] = mention.surface
        return filled(change.again(template), values, manner)


def replace_topic(scene: Scene) -> Scene:
    """The scene as a new topic finds it: nothing wanted, nothing to point to."""
    return replace(scene, topic=len(scene.turns), wants=None, rewritten=None, offered=set())
