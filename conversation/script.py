"""Sample dialogues as a person writes them: plain text, one line a turn.

    U: play something by [artist: Nina Simone]       a user's turn; [field: words] marks a slot,
    | put on [artist: Nina Simone]                   another way to say it
    = play something by nina simone                  what the wordings above mean alone, where
                                                     that is not what they say
    > play(artist=Nina Simone)                       what the system is to do next; several lines do
    ~ play(artist=Nina Simone)                       what the user wants so far, where `>` does not say
    S: Here is [track: Sinnerman].                   the system's turn, which does what `>` says

`[field=value: words]` where the words are not the value itself. A blank line ends a dialogue, `#`
starts a comment. Of a turn with other wordings a dialogue of its own is made of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from conversation.base import Action, AnnotatedTurn, Dialogue, Slot

_MARK = re.compile(r"\[(\w+)(?:=([^:\]]+))?: ([^\]]+)\]")
_ACTION = re.compile(r"(\w+)\((.*)\)")
_NEXT = re.compile(r",\s*(?=\w+=)")


@dataclass(slots=True)
class _Turn:
    speaker: str
    wordings: list[str]
    rewrites: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    wants: Action | None = None


def read_script(text: str, name: str) -> tuple[Dialogue, ...]:
    """The dialogues of a script, with ids `name-1`, `name-2`…

    The first wordings make the first dialogue, the second ones (where there are any, else the
    first) the second, and so on. Raises ValueError with the line's number where one cannot be read.
    """
    found: list[Dialogue] = []
    for number, turns in enumerate(_blocks(text, name), 1):
        for wording in range(max(len(turn.wordings) for turn in turns)):
            id = f"{name}-{number}" + (f"-{wording + 1}" if wording else "")
            found.append(Dialogue(id, tuple(_annotated(turns, wording))))
    return tuple(found)


def _blocks(text: str, name: str) -> Iterator[list[_Turn]]:
    turns: list[_Turn] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        line = line.strip()
        if line.startswith("#"):
            continue
        if not line:
            if turns:
                yield turns
            turns = []
            continue
        head, _, rest = line.partition(" ")
        rest = rest.strip()
        if head in ("U:", "S:"):
            turns.append(_Turn("user" if head == "U:" else "system", [rest]))
        elif head == "|" and turns:
            turns[-1].wordings.append(rest)
        elif head == "=" and turns:
            turn = turns[-1]
            turn.rewrites += [rest] * (len(turn.wordings) - len(turn.rewrites))
        elif head in (">", "~") and turns and (action := _ACTION.fullmatch(rest)):
            read = Action(action[1], dict(_arguments(action[2])))
            if head == ">":
                turns[-1].actions.append(read)
            else:
                turns[-1].wants = read
        else:
            raise ValueError(
                f"{name}, line {number}: found {line!r}, expected `U:`, `S:`, `|`, `=`, `>` or `~` "
                f"and then a turn, a wording, a rewrite or an action such as play(artist=Adele)"
            )


def _arguments(text: str) -> Iterator[tuple[str, str]]:
    for part in _NEXT.split(text):
        if part:
            key, _, value = part.partition("=")
            yield key.strip(), value.strip()


def _annotated(turns: list[_Turn], wording: int) -> Iterator[AnnotatedTurn]:
    doing: tuple[Action, ...] = ()
    for turn in turns:
        at = min(wording, len(turn.wordings) - 1)
        marked = turn.wordings[at]
        text, slots = unmarked(marked)
        if turn.speaker == "system":
            yield AnnotatedTurn("system", text, slots, doing)
            continue
        doing = tuple(turn.actions)
        rewrite = unmarked(turn.rewrites[at])[0] if at < len(turn.rewrites) else text
        yield AnnotatedTurn("user", text, slots, doing, rewrite, turn.wants)


def unmarked(text: str) -> tuple[str, tuple[Slot, ...]]:
    """A turn's text without its marks, and the slots that they marked."""
    plain, slots, end = "", [], 0
    for mark in _MARK.finditer(text):
        plain += text[end : mark.start()]
        slots.append(Slot(mark[1], mark[2] or mark[3], len(plain), len(plain) + len(mark[3])))
        plain, end = plain + mark[3], mark.end()
    return plain + text[end:], tuple(slots)
