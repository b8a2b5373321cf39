"""Dialogues in a file of their own layout: JSON Lines, one dialogue a line, `.gz` too.

    {"format": "ltrr-dialogues", "version": 1}                                    the first line
    {"id": "d1", "turns": [
      {"speaker": "user", "text": "play believer", "rewrite": "play believer",
       "slots": [{"name": "track", "value": "Believer", "start": 5, "end": 13}],
       "actions": [{"name": "play", "arguments": {"track": "Believer"}}],
       "wants": {"name": "play", "arguments": {"track": "Believer"}}},
      {"speaker": "system", "text": "Here it is."}]}

Keys but `speaker` and `text` may be left out; so may a slot's `start` and `end`, which then are
where its value stands first, and its `value`, which then is the words between them. `slots`: the
fields named in the turn, at characters [start, end). `actions`: of a user's turn what the system
is to do next, of a system's turn what it does. `rewrite`: what the user's turn would be if nothing
had been said before.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from conversation.base import Action, AnnotatedTurn, Dialogue, Slot

FORMAT, VERSION = "ltrr-dialogues", 1


def write_dialogues(dialogues: Iterable[Dialogue], path: Path) -> None:
    """Write them, replacing the file in one step; the same dialogues give the same bytes."""
    lines = [json.dumps({"format": FORMAT, "version": VERSION})]
    lines += [json.dumps(_written(dialogue), ensure_ascii=False) for dialogue in dialogues]
    data = "".join(f"{line}\n" for line in lines).encode()
    part = path.with_name(path.name + ".part")
    part.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    part.replace(path)


def is_dialogues_file(path: Path) -> bool:
    """Whether a file begins as this layout does."""
    if not path.is_file():
        return False
    with _opened(path) as lines:
        return FORMAT in next(iter(lines), "")


def read_dialogues(path: Path) -> Iterator[Dialogue]:
    """The dialogues of a file. Raises ValueError naming line, value found and value expected."""
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"{where}: no JSON ({error}); expected one object a line"
                ) from None
            if not isinstance(row, dict):
                raise ValueError(f"{where}: found {type(row).__name__}, expected an object")
            if number == 1:
                if (row.get("format"), row.get("version")) != (FORMAT, VERSION):
                    raise ValueError(
                        f"{where}: found {line.strip()[:80]!r}, expected "
                        f'{{"format": "{FORMAT}", "version": {VERSION}}}'
                    )
            else:
                yield _read(row, where)


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _written(dialogue: Dialogue) -> dict[str, Any]:
    return {"id": dialogue.id, "turns": [turn_to_json(turn) for turn in dialogue.turns]}


def turn_to_json(turn: AnnotatedTurn) -> dict[str, Any]:
    """As a turn of the layout; what a turn has not is left out."""
    row: dict[str, Any] = {"speaker": turn.speaker, "text": turn.text}
    if turn.rewrite is not None:
        row["rewrite"] = turn.rewrite
    if turn.slots:
        row["slots"] = [
            {"name": s.name, "value": s.value, "start": s.start, "end": s.end} for s in turn.slots
        ]
    if turn.actions:
        row["actions"] = [action_to_json(action) for action in turn.actions]
    if turn.wants is not None:
        row["wants"] = action_to_json(turn.wants)
    return row


def action_to_json(action: Action) -> dict[str, Any]:
    """As an action of the layout."""
    return {"name": action.name, "arguments": dict(action.arguments)}


def _read(row: Mapping[str, Any], where: str) -> Dialogue:
    turns = row.get("turns")
    if not isinstance(turns, list):
        raise ValueError(f"{where}: found turns {turns!r}, expected a list of turns")
    return Dialogue(
        str(row.get("id", where)),
        tuple(_read_turn(turn, f"{where}, turn {at}") for at, turn in enumerate(turns, 1)),
    )


def _read_turn(row: Any, where: str) -> AnnotatedTurn:
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ValueError(f"{where}: found {row!r}, expected an object with speaker and text")
    speaker = row.get("speaker")
    if speaker not in ("user", "system"):
        raise ValueError(f"{where}: found speaker {speaker!r}, expected 'user' or 'system'")
    text, rewrite = row["text"], row.get("rewrite")
    slots = tuple(_read_slot(slot, text, where) for slot in row.get("slots", ()))
    actions = tuple(_read_action(action, where) for action in row.get("actions", ()))
    wants = row.get("wants")
    if rewrite is not None and not isinstance(rewrite, str):
        raise ValueError(f"{where}: found rewrite {rewrite!r}, expected text")
    return AnnotatedTurn(
        speaker,
        text,
        slots,
        actions,
        rewrite,
        None if wants is None else _read_action(wants, where),
    )


def _read_slot(row: Any, text: str, where: str) -> Slot:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise ValueError(f"{where}: found slot {row!r}, expected an object with a name")
    value, start, end = row.get("value"), row.get("start"), row.get("end")
    if start is None and isinstance(value, str):
        start = text.casefold().find(value.casefold())
        end = start + len(value)
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise ValueError(
            f"{where}: slot {row['name']!r} has start {start!r} and end {end!r}, expected places in "
            f"the {len(text)} characters of its text, or a value that stands in it"
        )
    return Slot(row["name"], str(value) if value is not None else text[start:end], start, end)


def _read_action(row: Any, where: str) -> Action:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise ValueError(f"{where}: found action {row!r}, expected an object with a name")
    arguments = row.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError(f"{where}: found arguments {arguments!r}, expected an object")
    return Action(row["name"], {str(name): str(value) for name, value in arguments.items()})
