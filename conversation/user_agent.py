"""The simulated user: fills moves with values of a goal, and knows what should come of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from conversation.actions import ASK_WHICH, CONFIRM, CONVERSING, DONTCARE, INFORM, OFFER, Actions
from conversation.base import Action
from conversation.memory import Mention
from conversation.moves import Doing, Moves, Own, Recall, UserMove
from conversation.phrasing import Rng
from conversation.scene import Choice, Said, Scene
from conversation.wording import BEFORE, REPLACED
from conversation.world import KIND, NOT, SORT, Finder, World


class User:
    """Fills moves with values of the goal, or of a document like it where the goal does not fit."""

    def __init__(
        self, world: World, actions: Actions, moves: Moves, finders: Mapping[str, Finder]
    ) -> None:
        self.world, self.actions, self.moves, self.finders = world, actions, moves, finders
        self.known = moves.open | {KIND}
        self.asks_which = any(ASK_WHICH in names for names in moves.system)
        likely = world.popularity + 5.0
        self.likely = likely / likely.sum()
        self.ambiguous: dict[str, tuple[str, ...]] = {}

    def goal(self, rng: Rng) -> int:
        """A document to look for, popular ones more often."""
        return int(
            np.searchsorted(np.cumsum(self.likely), rng.random()).clip(0, len(self.likely) - 1)
        )

    def chosen(self, move: UserMove, scene: Scene, goal: int, rng: Rng) -> Choice | None:
        """The move filled for this scene; None where it does not fit."""
        recalls = [*move.recalled, *(own.recall for own in move.own if own.recall)]
        recalls += [s.recall for d in _doings(move) for _, s in d.arguments if s.recall]
        if any(self._recalled(recall, scene) is None for recall in recalls):
            return None
        told_by_last = move.rewrite is None or BEFORE in move.rewrite or REPLACED in move.rewrite
        if not told_by_last and any(d.keeps for d in move.actions):
            return None
        if any(d.keeps and not scene.wants for d in _doings(move)):
            return None
        old = scene.wants.arguments if scene.wants else {}
        titles = old.keys() & self.world.types.keys() - {self.world.owner} - move.wanted
        if titles and any(d.keeps for d in _doings(move)):
            return None  # what narrows a search says nothing of one thing that has a title
        kept = [(n, s.value) for d in _doings(move) for n, s in d.arguments if s.kind == "kept"]
        if any(n not in old or value not in ("", old[n]) for n, value in kept):
            return None
        sources = [each for doing in _doings(move) for each in doing.arguments]
        confirmed = {name for name, source in sources if source.kind == "confirmed"}
        if not confirmed <= scene.memory.confirmed.keys():
            return None
        asked = [d for d in move.actions if d.name == CONFIRM]
        changes = [(n, s.value) for d in asked for n, s in d.arguments if s.kind == "constant"]
        if not move.own and any(scene.memory.confirmed.get(n) == v for n, v in changes):
            return None  # nobody corrects a choice to what it is
        slots = self._slots(move, scene, goal, rng)
        if slots is None:
            return None
        actions = tuple(self._action(doing, slots, scene) for doing in move.actions)
        wants = self._action(move.wants, slots, scene) if move.wants else None
        if scene.wants and any(a.name == scene.wants.name for a in actions) and not move.own:
            # Consent is to all that was to be confirmed, whatever the sample's had been before.
            actions = tuple(self._agreed(action, scene) for action in actions)
            wants = self._agreed(wants, scene) if wants else None
        called = next((a for a in actions if a.name not in CONVERSING), None)
        wants = wants or called or scene.wants
        if any(self._unclear(action) for action in actions if action.name != ASK_WHICH):
            return None
        rows = self._rows(actions, wants, scene)
        return None if rows is None else Choice(move, slots, actions, wants, rows)

    def _recalled(self, recall: Recall, scene: Scene) -> Mention | None:
        recent = scene.memory.recent(recall.field)
        if recall.nth >= len(recent):
            return None
        mention = recent[recall.nth]
        young = scene.memory.turns - mention.turn <= max(recall.age, 2)
        old = scene.wants.arguments if scene.wants else {}
        if recall.wanted and old.get(recall.field, "").casefold() != mention.value.casefold():
            return None
        return mention if young and mention.turn >= scene.topic else None

    def _slots(self, move: UserMove, scene: Scene, goal: int, rng: Rng) -> tuple[Said, ...] | None:
        row = self._row(move, scene, goal, rng)
        if row is None:
            return None
        slots: list[Said] = []
        for own in move.own:
            said = self._slot(own, row, slots, scene, move, rng)
            if said is None:
                return None
            slots.append(said)
        return tuple(slots)

    def _slot(
        self, own: Own, row: int, before: Sequence[Said], scene: Scene, move: UserMove, rng: Rng
    ) -> Said | None:
        if own.fixed:
            return (own.field, *own.fixed)
        if own.recall:
            mention = self._recalled(own.recall, scene)
            return (own.field, mention.value, mention.surface) if mention else None
        values = self.world.facts(row, own.field)
        used = {value for name, value, _ in before if name == own.field}
        if scene.wants and move.corrects:
            used.add(scene.wants.arguments.get(own.field, ""))
        values = tuple(value for value in values if value not in used)
        if not values:
            other = self.goal(rng)
            values = tuple(v for v in self.world.facts(other, own.field) if v not in used)
        if not values:
            return None
        value = values[int(rng.integers(len(values)))]
        return own.field, value, value

    def _row(self, move: UserMove, scene: Scene, goal: int, rng: Rng) -> int | None:
        """A document that has the values which the move brings along, the goal where it can be."""
        fresh = {own.field for own in move.own if not own.fixed and not own.recall}
        if not fresh:
            return goal
        if any(doing.name == ASK_WHICH for doing in move.actions):
            return self._unclear_row(sorted(fresh), rng)
        bound: dict[str, str] = {}
        for doing in move.actions:
            placeholder: tuple[Said, ...] = tuple(
                (own.field, *(own.fixed or ("", ""))) for own in move.own
            )
            action = self._action(doing, placeholder, scene)
            bound |= {k: v for k, v in action.arguments.items() if v and k not in fresh}
        bound = {k: v for k, v in self._facts(bound).items() if k in self.known}
        if not bound and self._has(goal, fresh):
            return goal
        rows = [int(r) for r in self.world.matching(bound)] if bound else []
        rows = [r for r in rows[:200] if self._has(r, fresh)]
        if goal in rows:
            return goal
        if not rows:
            for _ in range(20):
                row = self.goal(rng)
                if not bound and self._has(row, fresh):
                    return row
            return None
        return rows[int(rng.integers(len(rows)))]

    def _has(self, row: int, fields: set[str]) -> bool:
        titles = fields & self.world.types.keys() - {self.world.owner}
        return (not titles or self.world.documents[row].type in titles) and (
            bool(titles) or all(self.world.facts(row, name) for name in fields)
        )

    def _unclear_row(self, fields: Sequence[str], rng: Rng) -> int | None:
        for name in fields:
            if name not in self.ambiguous:
                self.ambiguous[name] = self.world.ambiguous(name)
            if titles := self.ambiguous[name]:
                title = titles[int(rng.integers(len(titles)))]
                rows = [
                    r for r in self.world.meanings(title) if self.world.documents[r].type == name
                ]
                return int(rows[0]) if rows else None
        return None

    def _action(self, doing: Doing, slots: Sequence[Said], scene: Scene) -> Action:
        old = scene.wants.arguments if scene.wants else {}
        given: dict[str, str] = dict(old) if doing.keeps else {}
        for name, source in doing.arguments:
            if source.kind == "own":
                given[name] = slots[source.place][1]
            elif source.kind == "constant":
                given[name] = source.value
            elif source.kind == "confirmed":
                given[name] = scene.memory.confirmed[name]
            elif source.kind == "kept":
                given[name] = old.get(name, "")
            elif source.recall and (mention := self._recalled(source.recall, scene)):
                given[name] = mention.value
        return Action(doing.name, given)

    def _agreed(self, action: Action, scene: Scene) -> Action:
        declared = self.actions.get(action.name)
        if declared is None:
            return action
        confirmed = {n: v for n, v in scene.memory.confirmed.items() if declared.parameter(n)}
        return Action(action.name, confirmed | dict(action.arguments))

    def _unclear(self, action: Action) -> bool:
        """Whether a name of the action could be somebody else's, where the system would ask."""
        given = action.arguments
        if not self.asks_which or action.name not in self.actions or self.world.owner in given:
            return False
        for name in self.world.types:
            if name in given and name != self.world.owner:
                meant = self.world.meanings(given[name])
                common = self.world.types.most_common(1)[0][0]
                kind = given.get(KIND) or (name if name != common else None)
                left = [r for r in meant if kind is None or self.world.documents[r].type == kind]
                return len(left) > 1
        return False

    def _rows(
        self, actions: Sequence[Action], wants: Action | None, scene: Scene
    ) -> tuple[int, ...] | None:
        """What the actions bring; None where one brings nothing that should."""
        found: tuple[int, ...] = ()
        for action in actions:
            if action.name in self.actions:
                if self.actions.problems(action):
                    return None
                rows = self.results(action)
                if not rows:
                    return None
                found = found or tuple(
                    sorted(rows, key=lambda row: self._again(row, action, scene))
                )
            elif action.name == ASK_WHICH:
                meant = self.world.meanings(action.arguments.get("name", ""))
                kind = next((k for k in self.world.types if wants and k in wants.arguments), None)
                alike = tuple(int(r) for r in meant if self.world.documents[r].type == kind)
                found = alike if len(alike) > 1 else tuple(int(r) for r in meant)
                if len(found) < 2:
                    return None
            elif action.name == OFFER and wants:
                every = self.world.matching(self._facts(wants.arguments))
                found = tuple(int(r) for r in every if int(r) not in scene.offered)
                if not found:
                    return None
            elif action.name == INFORM:
                of = wants.arguments if wants else {}
                found = scene.found or tuple(
                    int(r) for r in self.world.matching(self._facts(of))[:1]
                )
        return found

    def _again(self, row: int, action: Action, scene: Scene) -> bool:
        """Whether a row was named already where the next best would do."""
        return SORT not in action.arguments and row in scene.offered

    def results(self, action: Action) -> tuple[int, ...]:
        """Rows that a declared action brings, best first."""
        finder = self.finders.get(action.name)
        if finder is not None:
            return tuple(int(r) for r in finder(**action.arguments))
        return tuple(int(r) for r in self.world.matching(self._facts(action.arguments)))

    def _facts(self, arguments: Mapping[str, str]) -> dict[str, str]:
        return {
            name: value
            for name, value in arguments.items()
            if value != DONTCARE and (name in self.known or name.startswith(NOT) or name == SORT)
        }


def _doings(move: UserMove) -> Iterator[Doing]:
    yield from move.actions
    if move.wants:
        yield move.wants
