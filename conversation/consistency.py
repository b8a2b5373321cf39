"""Lets no action out that cannot be done: what is missing is asked for, what was said never is."""

from __future__ import annotations

from collections.abc import Sequence

from conversation.actions import ASK, CONFIRM, DONTCARE
from conversation.base import Action
from conversation.domain import Domain


def consistent(actions: Sequence[Action], wanted: Action, domain: Domain) -> tuple[Action, ...]:
    """The actions as they can be done; the same ones where nothing is wrong with them.

    A declared action keeps the arguments it takes, with values it can have. Where a required one is
    missing it becomes a question for the first such, and so does a confirmation. A question for
    what was said, or for what the wanted action does not take, asks for what is missing instead;
    where nothing is, the action is done, or confirmed first where it has to be.
    """
    found: list[Action] = []
    for action in actions:
        for each in _possible(action, wanted, domain):
            if each not in found:
                found.append(each)
    asks = [each for each in found if each.name == ASK]
    if asks:
        # A question leaves nothing else to be done for now but to answer one.
        found = [e for e in found if e.name not in domain.actions and e.name != CONFIRM]
    return tuple(found)


def _possible(action: Action, wanted: Action, domain: Domain) -> list[Action]:
    known = domain.actions
    if action.name in known:
        called = _cut(action, domain)
        missing = known.missing(called)
        return [Action(ASK, {"argument": missing[0]})] if missing else [called]
    if wanted.name not in known:
        return [] if action.name in (CONFIRM, ASK) else [action]
    called = _cut(wanted, domain)
    missing = known.missing(called)
    if action.name == CONFIRM:
        if missing:
            return [Action(ASK, {"argument": missing[0]})]
        return [Action(CONFIRM, called.arguments)]
    if action.name == ASK:
        argument = action.arguments.get("argument", "")
        if known[wanted.name].parameter(argument) and argument not in called.arguments:
            return [action]
        if missing:
            return [Action(ASK, {"argument": missing[0]})]
        return [Action(CONFIRM, called.arguments) if known[wanted.name].confirmed else called]
    return [action]


def _cut(action: Action, domain: Domain) -> Action:
    """The action with the arguments it takes and values that these can have."""
    kept = {}
    for name, value in action.arguments.items():
        parameter = domain.actions[action.name].parameter(name)
        if parameter is None or (parameter.choices and value not in (*parameter.choices, DONTCARE)):
            continue
        if parameter.type == "number" and not value.isdecimal():
            continue
        kept[name] = value
    return Action(action.name, kept)
