"""What a dialogue manager is told of its task: the actions, and the slots that are talked of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conversation.actions import Actions, Parameter


@dataclass(frozen=True, slots=True)
class Domain:
    """Actions and slots of one service. `slots` are all arguments by name, and the facts that a user
    may ask for though no action takes them."""

    name: str
    actions: Actions
    slots: tuple[Parameter, ...]


def domain_of(name: str, actions: Actions, facts: Iterable[Parameter] = ()) -> Domain:
    """The domain of some actions: their parameters, each once by its first declaration, and facts."""
    slots: dict[str, Parameter] = {}
    for declared in actions.by_name.values():
        for parameter in declared.parameters:
            slots.setdefault(parameter.name, parameter)
    for fact in facts:
        slots.setdefault(fact.name, fact)
    return Domain(name, actions, tuple(slots.values()))
