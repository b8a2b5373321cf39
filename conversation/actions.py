"""What a system can do: actions declared as typed Python functions, read from their signatures."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from conversation.base import Action

ASK, ASK_WHICH, CONFIRM, OFFER, PROPOSE, INFORM, MORE, STOP = CONVERSING = (
    *("ask", "ask_which", "confirm", "offer", "propose", "inform", "ask_more", "stop"),
)
"""What every system can do besides: `ask(argument)` for a missing argument, `ask_which(name)` of
several is meant, `confirm` before a declared action, `offer` (another of) what was found,
`propose(action)`, `inform(argument)` of a fact of what is talked of, `ask_more`, `stop`."""

DONTCARE = "dontcare"
"""The value of an argument that may be anything."""

TYPES: Mapping[type, str] = {str: "text", int: "number", bool: "yes or no"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of an action; `choices` are the values it can have, empty where any can."""

    name: str
    description: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    type: str = "text"


@dataclass(frozen=True, slots=True)
class Declared:
    """An action that can be taken; `function` does it, None where something else does.

    `confirmed`: the user is asked before it is done.
    """

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    function: Callable[..., Any] | None = None
    confirmed: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the arguments without which it cannot be called."""
        return tuple(p.name for p in self.parameters if p.required)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name, None where there is none."""
        return next((p for p in self.parameters if p.name == name), None)


def declared(function: Callable[..., Any]) -> Declared:
    """The action that a function declares.

    Its name is the function's, its description the docstring's first paragraph; a line of the
    docstring `name: words` describes an argument. A parameter without a default is required; its
    annotation is `str`, `int`, `bool` or a `Literal` of strings, or one of these `| None`. Raises
    TypeError for any other annotation, ValueError for a name of `CONVERSING`.

    >>> def play(track: str, device: Literal["kitchen", "bedroom"] | None = None) -> None:
    ...     '''Start a track.
    ...
    ...     track: the title
    ...     '''
    >>> declared(play).required, declared(play).parameters[1].choices
    (('track',), ('kitchen', 'bedroom'))
    """
    name = function.__name__
    if name in CONVERSING:
        raise ValueError(
            f"action {name!r}: the name is taken by what every system can do "
            f"({', '.join(CONVERSING)}); rename the function"
        )
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    described: dict[str, str] = {}
    for line in (line for paragraph in paragraphs[1:] for line in paragraph.splitlines()):
        argument, colon, words = line.partition(":")
        if colon:
            described[argument.strip()] = words.strip()
    hints = typing.get_type_hints(function)
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        type, choices = _kind(name, parameter.name, hints.get(parameter.name, str))
        required = parameter.default is inspect.Parameter.empty
        words = described.get(parameter.name, "")
        parameters.append(Parameter(parameter.name, words, required, choices, type))
    return Declared(name, " ".join(paragraphs[0].split()), tuple(parameters), function)


def _kind(action: str, name: str, hint: Any) -> tuple[str, tuple[str, ...]]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        left = [part for part in typing.get_args(hint) if part is not type(None)]
        hint = left[0] if len(left) == 1 else hint
    if typing.get_origin(hint) is Literal and all(
        isinstance(v, str) for v in typing.get_args(hint)
    ):
        return "text", typing.get_args(hint)
    if hint not in TYPES:
        raise TypeError(
            f"action {action!r}, argument {name!r}: found the annotation {hint!r}, expected str, "
            f"int, bool or a Literal of strings, or one of these with None"
        )
    return TYPES[hint], ("True", "False") if hint is bool else ()


class Actions:
    """The declared actions by name."""

    def __init__(self, actions: Iterable[Declared | Callable[..., Any]]) -> None:
        every = [a if isinstance(a, Declared) else declared(a) for a in actions]
        self.by_name: Mapping[str, Declared] = {action.name: action for action in every}
        if len(self.by_name) != len(every):
            raise ValueError(f"actions declared twice: {sorted(a.name for a in every)}")

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    def __getitem__(self, name: str) -> Declared:
        return self.by_name[name]

    def get(self, name: str) -> Declared | None:
        """The action of that name, None where none is declared."""
        return self.by_name.get(name)

    def problems(self, action: Action) -> tuple[str, ...]:
        """Why an action cannot be called as it is, empty where it can."""
        if action.name in CONVERSING and action.name not in self.by_name:
            return ()
        if action.name not in self.by_name:
            return (f"no action {action.name!r} is declared, only {', '.join(self.by_name)}",)
        known = self.by_name[action.name]
        found = [f"{action.name}: {name!r} is missing" for name in self.missing(action)]
        for name, value in action.arguments.items():
            parameter = known.parameter(name)
            if parameter is None:
                found.append(f"{action.name}: {name!r} is no argument of it")
            elif parameter.choices and value not in (*parameter.choices, DONTCARE):
                found.append(f"{action.name}: {name}={value!r} is none of {parameter.choices}")
            elif parameter.type == "number" and not value.isdecimal():
                found.append(f"{action.name}: {name}={value!r} is no number")
        return tuple(found)

    def missing(self, action: Action) -> tuple[str, ...]:
        """Required arguments that the action does not have."""
        if action.name not in self.by_name:
            return ()
        return tuple(n for n in self.by_name[action.name].required if n not in action.arguments)
