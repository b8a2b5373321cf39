"""Queries to rewrite, and what became of them, in files of JSON lines."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversation.base import Rewrite
from conversation.json_lines import json_lines
from retrievers.base import Turn

ROLES = ("user", "system")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query in its conversation."""

    id: str
    turns: tuple[Turn, ...]
    query: str


def read_asked(path: Path) -> Iterator[Asked]:
    """Rows {example_id or id, context: [{role, text}], query}; .gz too."""
    for where, row in json_lines(path):
        yield _asked(row, where)


def _asked(row: Any, where: str) -> Asked:
    if not isinstance(row, dict):
        raise ValueError(f"{where}: found a {type(row).__name__}, expected a JSON object")
    id = row.get("example_id", row.get("id"))
    query, context = row.get("query"), row.get("context", [])
    if not isinstance(id, str) or not isinstance(query, str):
        raise ValueError(
            f"{where}: found example_id {id!r} and query {query!r}, expected two strings: each row is a query to rewrite"
        )
    if not isinstance(context, list):
        raise ValueError(f"{where}: found context {context!r}, expected a list of {{role, text}}")
    return Asked(id, tuple(_turn(said, where) for said in context), query)


def _turn(said: Any, where: str) -> Turn:
    role = said.get("role") if isinstance(said, dict) else None
    text = said.get("text") if isinstance(said, dict) else None
    if role not in ROLES or not isinstance(text, str):
        raise ValueError(
            f"{where}: found a turn {said!r}, expected {{role, text}} with a role of {' or '.join(ROLES)}"
        )
    return Turn("user" if role == "user" else "system", text)


def write_rewrites(path: Path, ids: Sequence[str], rewrites: Sequence[Rewrite]) -> None:
    """Rows {id, rewrite, confidence}, the whole file or none; .gz where the name says so."""
    rows = (
        json.dumps(
            {"id": id, "rewrite": made.text, "confidence": round(made.confidence, 4)},
            ensure_ascii=False,
        )
        for id, made in zip(ids, rewrites, strict=True)
    )
    text = "".join(f"{row}\n" for row in rows).encode()
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
