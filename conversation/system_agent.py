"""The simulated system: says what it does with what the catalogue knows of the things found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conversation.actions import ASK_WHICH, CONFIRM, INFORM
from conversation.general_moves import GeneralMoves
from conversation.moves import Moves, SystemMove
from conversation.phrasing import Rng
from conversation.scene import Choice, Said
from conversation.world import KIND, World


class System:
    """Says what it does with what the catalogue knows of the things found."""

    def __init__(self, world: World, moves: Moves) -> None:
        self.world, self.moves = world, moves

    def answer(
        self, choice: Choice, rng: Rng, general: GeneralMoves | None = None
    ) -> tuple[SystemMove, tuple[Said, ...], tuple[int, ...]] | None:
        """A move that fits, its slots and the rows it names; None where no sample shows one and
        there is no general one."""
        does = self.moves.signature(choice.actions, choice.wants)
        moves = self.moves.system.get(does, [])
        if general is not None:
            moves = [*moves, *general.system.get(does, [])]
        for at in rng.permutation(len(moves)):
            move = moves[int(at)]
            slots = self._slots(move, choice, rng)
            if slots is not None:
                return move, slots, choice.rows[: max(move.after[1], 1)]
        return None

    def _slots(self, move: SystemMove, choice: Choice, rng: Rng) -> tuple[Said, ...] | None:
        given = {n: v for action in choice.actions for n, v in action.arguments.items()}
        if choice.wants:
            given = dict(choice.wants.arguments) | given
        groups: dict[int, list[str]] = {}
        kinds: dict[int, str] = {}
        for name, at, fixed in move.slots:
            if fixed is None:
                groups.setdefault(at, []).append(name)
            elif name == KIND:
                kinds[len(groups)] = fixed[0]
        if choice.rows and not all(
            self._fits(choice, at, names, kinds.get(at)) for at, names in groups.items()
        ):
            return None
        slots: list[Said] = []
        for name, at, fixed in move.slots:
            value = fixed[0] if fixed else self._value(name, at, given, choice, rng)
            if value is None:
                return None
            slots.append((name, value, fixed[1] if fixed else value))
        things = [
            tuple(s[1] for s, m in zip(slots, move.slots, strict=True) if m[1] == at)
            for at in groups
        ]
        return tuple(slots) if len({*things}) == len(things) else None

    def _value(
        self, name: str, at: int, given: Mapping[str, str], choice: Choice, rng: Rng
    ) -> str | None:
        values = self.world.facts(choice.rows[at], name) if at < len(choice.rows) else ()
        if at == 0 and name in given:
            same = [value for value in values if value.casefold() == given[name].casefold()]
            if same or not values:
                return same[0] if same else given[name]
        return values[int(rng.integers(len(values)))] if values else None

    def _fits(self, choice: Choice, at: int, names: Sequence[str], kind: str | None) -> bool:
        if at >= len(choice.rows):
            return False
        does = [action.name for action in choice.actions]
        owner = self.world.owner
        kinds = [k for k, _ in self.world.types.most_common() if k in names and k != owner]
        wanted = choice.wants.arguments if choice.wants else {}
        titles = [k for k in self.world.types if k in wanted and k != owner]
        if (
            not kinds
            and owner in names
            and owner in self.world.types
            and INFORM not in does
            and CONFIRM not in does
        ):
            kinds = titles if ASK_WHICH in does else [] if titles else [owner]
        expected = kind or (kinds[0] if kinds else None)
        return expected is None or self.world.documents[choice.rows[at]].type == expected
