"""Files of rewrites by what stands in them: the layouts of mudoco, alexa-cqr and canard."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from conversation.json_lines import json_lines
from conversation.linked_rewrites import read_linked
from conversation.rewrite_data import RewriteExample, read_canard, read_cqr, read_rewrites

LAYOUTS: dict[frozenset[str], Callable[[Path], list[RewriteExample]]] = {
    frozenset(("context", "query", "rewrite")): read_rewrites,
    frozenset(("History", "Question", "Rewrite")): read_canard,
    frozenset(("dialog_id", "turns")): read_linked,
}
"""Readers of JSON lines by the keys that every row has."""


def read_layout(path: Path) -> list[RewriteExample]:
    """The examples of a file, its layout told from its first row.

    Raises ValueError where it is none of those known, FileNotFoundError where nothing is there.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: found no file, expected dialogues with rewrites")
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as opened:
        if opened.read(64).lstrip().startswith(b"["):
            return read_cqr(path)
    _, first = next(json_lines(path), ("", None))
    if not isinstance(first, dict):
        raise ValueError(
            f"{path}: found {first!r} first, expected JSON objects in lines, or one list"
        )
    for needed, reader in LAYOUTS.items():
        if needed <= first.keys():
            return reader(path)
    raise ValueError(
        f"{path}: found rows of {sorted(first)}, expected the keys of one of these layouts: "
        + "; ".join(", ".join(sorted(needed)) for needed in LAYOUTS)
    )
