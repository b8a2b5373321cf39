"""How well a dialogue manager follows dialogues: states, actions, and errors in them."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from conversation.actions import ASK, INFORM
from conversation.base import Action, AnnotatedTurn
from conversation.dialogue import DialogueManager
from conversation.dialogue_training import untagged
from conversation.sgd import SgdDialogue
from conversation.turn_features import same

Ways = Mapping[str, Sequence[str]]
"""Values of slots in all the ways they may be written."""


@dataclass(slots=True)
class Followed:
    """Counts over turns of users; F1s are by action."""

    turns: int = 0
    joint: int = 0
    """Turns whose whole state is right: every slot, none more."""
    intents: int = 0
    slots: int = 0
    """Slots of the states, and of these those that are right."""
    slots_right: int = 0
    done: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)
    """Actions done, expected, right by name, and right with their arguments."""
    action_errors: int = 0
    """Actions missing or too many."""
    argument_errors: int = 0
    """Slots of states missing, too many or with another value."""
    seconds: list[float] = field(default_factory=list)

    @property
    def joint_goal_accuracy(self) -> float:
        """Share of turns whose whole state is right."""
        return self.joint / max(self.turns, 1)

    @property
    def median_milliseconds(self) -> float:
        """Of one decision."""
        return 1000 * statistics.median(self.seconds) if self.seconds else 0.0

    def f1(self, action: str, whole: bool = False) -> float:
        """F1 of an action, by its name alone or with its arguments."""
        right = (self.whole if whole else self.right)[action]
        return 2 * right / max(self.done[action] + self.expected[action], 1)

    @property
    def errors(self) -> int:
        """Of actions and arguments."""
        return self.action_errors + self.argument_errors


def followed(
    parts: Iterable[SgdDialogue], manager: Callable[[str], DialogueManager]
) -> dict[str, Followed]:
    """Follows dialogues turn by turn, each on the manager's own state, with the system's turns as
    they were; counts by service. Users' turns come as text alone."""
    found: dict[str, Followed] = {}
    for part in parts:
        deciding = manager(part.service)
        counts = found.setdefault(part.service, Followed())
        turns: list[AnnotatedTurn] = []
        wants: Action | None = None
        states = iter(part.states)
        for turn in part.dialogue.turns:
            if turn.speaker == "system":
                turns.append(turn)
                continue
            start = time.perf_counter()
            decision = deciding.decide(turns, untagged(turn), wants)
            counts.seconds.append(time.perf_counter() - start)
            state = next(states)
            _count_state(counts, decision.wants, turn.wants, state)
            if turn.actions:
                _count_actions(counts, decision.actions, turn.actions, state)
            turns.append(replace(turn, slots=decision.slots))
            wants = decision.wants
    return found


def _count_state(counts: Followed, found: Action, gold: Action | None, state: Ways) -> None:
    wrong = 0
    for name in {*found.arguments, *state}:
        right = name in found.arguments and _is(found.arguments[name], state.get(name, ()))
        wrong += not right
        counts.slots += name in state
        counts.slots_right += right
    counts.turns += 1
    counts.joint += wrong == 0
    counts.intents += found.name == (gold.name if gold else "")
    counts.argument_errors += wrong


def _count_actions(
    counts: Followed,
    found: Sequence[Action],
    gold: Sequence[Action],
    state: Ways,
) -> None:
    done, expected = _by_name(found), _by_name(gold)
    for name in done.keys() | expected.keys():
        counts.done[name] += name in done
        counts.expected[name] += name in expected
        if name in done and name in expected:
            counts.right[name] += 1
            counts.whole[name] += _as_expected(done[name], expected[name], state)
        else:
            counts.action_errors += 1


def _by_name(actions: Sequence[Action]) -> dict[str, list[Action]]:
    found: dict[str, list[Action]] = {}
    for action in actions:
        found.setdefault(action.name, []).append(action)
    return found


def _as_expected(done: Sequence[Action], expected: Sequence[Action], state: Ways) -> bool:
    """Whether the arguments are right: of a question or an answer what it is about, of the others
    those that the state has. A default that the service fills in is nobody's merit."""
    if done[0].name in (ASK, INFORM):
        about = [{a.arguments.get("argument") for a in each} for each in (done, expected)]
        return about[0] == about[1] if done[0].name == INFORM else bool(about[0] & about[1])
    given = done[0].arguments
    asked = {n for n in expected[0].arguments if n in state}
    return asked <= given.keys() and all(_is(v, state.get(n, ())) for n, v in given.items())


def _is(value: str, ways: Sequence[str]) -> bool:
    return any(same(value, way) for way in ways)


def together(counts: Iterable[Followed]) -> Followed:
    """The sums."""
    total = Followed()
    for each in counts:
        for name in ("turns", "joint", "intents", "slots", "slots_right"):
            setattr(total, name, getattr(total, name) + getattr(each, name))
        total.action_errors += each.action_errors
        total.argument_errors += each.argument_errors
        total.done += each.done
        total.expected += each.expected
        total.right += each.right
        total.whole += each.whole
        total.seconds += each.seconds
    return total
