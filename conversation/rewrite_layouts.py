"""Files of rewrites by what stands in them: the layouts of mudoco, alexa-cqr and canard."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

from conversation.linked_rewrites import read_linked
from conversation.rewrite_data import RewriteExample, read_canard, read_cqr, read_rewrites

LAYOUTS: dict[frozenset[str], Callable[[Path], list[RewriteExample]]] = {
    frozenset(("context", "query", "rewrite")): read_rewrites,
    frozenset(("History", "Question", "Rewrite")): read_canard,
    frozenset(("dialog_id", "turns")): read_linked,
}
"""Readers of JSON lines by the keys that every row has."""


def read_layout(path: Path) -> list[RewriteExample]:
    """The examples of a file, whatever its layout; ValueError where it is none of them, and an empty list
    where it is of a layout whose dialogues hold no rewrites."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: found no file, expected dialogues with rewrites")
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("["):
        return read_cqr(path)
    try:
        keys = set(json.loads(first))
    except (json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{path}: found {first[:60]!r}, expected JSON lines or a JSON list of dialogues") from error
    for needed, reader in LAYOUTS.items():
        if needed <= keys:
            return reader(path)
    raise ValueError(
        f"{path}: found rows of {sorted(keys)}, expected the keys of one of these layouts: "
        + "; ".join(", ".join(sorted(needed)) for needed in LAYOUTS)
    )
