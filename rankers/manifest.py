"""The saved form every ranker shares: `manifest.json`, naming its files and their SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FORMAT = 1
"""Version of the saved form; a folder written under another one is refused."""

FILE = "manifest.json"


def write_manifest(
    folder: Path, ranker: str, settings: Mapping[str, Any], files: Sequence[str] = ()
) -> None:
    """Write what `read_manifest` checks; `files` lie in `folder` already."""
    content = {
        "format": FORMAT,
        "ranker": ranker,
        "settings": dict(settings),
        "sha256": {name: _digest(folder / name) for name in files},
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path, ranker: str) -> tuple[dict[str, Any], frozenset[str]]:
    """The settings saved for `ranker` and the names of its files, whose bytes are as saved.

    ValueError where the folder is not what it claims to be.
    """
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{folder}: found saved form {content.get('format')!r}, expected {FORMAT}; it was "
            "probably written by another version of ltrr"
        )
    if content.get("ranker") != ranker:
        raise ValueError(f"{folder}: found ranker {content.get('ranker')!r}, expected {ranker!r}")
    for name, expected in content["sha256"].items():
        if name != Path(name).name:
            raise ValueError(f"{folder}: manifest names {name!r}, expected a file in the folder")
        found = _digest(folder / name)
        if found != expected:
            raise ValueError(
                f"{folder / name}: found SHA-256 {found[:12]}…, expected {expected[:12]}…; the "
                "file was probably cut short or edited"
            )
    settings = content["settings"]
    if not isinstance(settings, dict):
        raise ValueError(f"{folder}: settings are {type(settings).__name__}, expected an object")
    return settings, frozenset(content["sha256"])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
