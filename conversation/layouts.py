"""Dialogues that people have, in whatever of the layouts known here they lie."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conversation.base import Dialogue
from conversation.dialogue_training import Lesson
from conversation.dialogues_file import is_dialogues_file, read_dialogues
from conversation.linked_rewrites import read_linked
from conversation.rewrite_data import (
    RewriteExample,
    of_dialogues,
    read_canard,
    read_cqr,
    read_rewrites,
)
from conversation.script import read_script
from conversation.sgd import is_sgd, read_domains, read_sgd

EXPECTED = (
    "a folder of mudoco, alexa-cqr, canard or sgd-music, a file of one of the first three, "
    "dialogues in the project's own layout (.jsonl, .jsonl.gz) or scripts (.txt)"
)


@dataclass(frozen=True, slots=True)
class Read:
    """What was found: `dialogues` with slots and actions of the user's own actions, `lessons` of
    other services, `rewrites` that people wrote."""

    layout: str
    dialogues: tuple[Dialogue, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    rewrites: tuple[RewriteExample, ...] = ()


def read_layout(path: Path) -> Read:
    """The dialogues of a file or folder, its layout told from its contents.

    Raises ValueError where it is none of those known, FileNotFoundError where nothing is there.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: found nothing there, expected {EXPECTED}")
    if path.is_dir():
        return _folder(path)
    return _file(path)


def _folder(path: Path) -> Read:
    if is_sgd(path):
        domains = read_domains(path)
        lessons = (
            Lesson(domains[part.service], part.dialogue, part.states)
            for part in read_sgd(path)
            if part.split == "train"
        )
        return Read("sgd-music", lessons=tuple(lessons))
    files = sorted(file for file in path.iterdir() if file.is_file() and _suffix(file))
    found = [read for file in files if (read := _known(file)) is not None]
    if not found:
        raise ValueError(f"{path}: found no file whose layout is known, expected {EXPECTED}")
    return Read(
        ", ".join(dict.fromkeys(read.layout for read in found)),
        tuple(dialogue for read in found for dialogue in read.dialogues),
        tuple(lesson for read in found for lesson in read.lessons),
        tuple(rewrite for read in found for rewrite in read.rewrites),
    )


def _file(path: Path) -> Read:
    found = _known(path)
    if found is None:
        raise ValueError(f"{path}: found a layout that is not known, expected {EXPECTED}")
    return found


def _suffix(file: Path) -> bool:
    return file.name.endswith((".jsonl", ".jsonl.gz", ".json", ".txt"))


def _known(file: Path) -> Read | None:
    if file.suffix == ".txt":
        dialogues = read_script(file.read_text("utf-8"), file.stem)
        return Read("script", dialogues, rewrites=tuple(of_dialogues(dialogues)))
    if file.suffix == ".json":
        rows = json.loads(file.read_text("utf-8"))
        is_cqr = isinstance(rows, list) and bool(rows) and "scenario" in rows[0]
        return Read("alexa-cqr", rewrites=tuple(read_cqr(file))) if is_cqr else None
    if is_dialogues_file(file):
        dialogues = tuple(read_dialogues(file))
        return Read("dialogues", dialogues, rewrites=tuple(of_dialogues(dialogues)))
    first = json.loads(next(_lines(file), "null"))
    keys = first.keys() if isinstance(first, dict) else set()
    if {"History", "Question", "Rewrite"} <= keys:
        return Read("canard", rewrites=tuple(read_canard(file)))
    if {"context", "query", "rewrite"} <= keys:
        return Read("mudoco", rewrites=tuple(read_rewrites(file)))
    if {"dialog_id", "turns"} <= keys:
        return Read("mudoco", rewrites=tuple(read_linked(file)))
    return None


def _lines(path: Path) -> Iterator[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        yield from lines
