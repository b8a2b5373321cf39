"""Whether the files of a snapshot are those that were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.durable import digest

CHECKED = 1 << 22
"""Files up to so many bytes are read and checked by their sums whenever an index is loaded, larger
ones by their size alone, so that what is mapped need not be read as a whole."""


def damage(
    here: Path, sums: Mapping[str, str], sizes: Mapping[str, int], checked: float = float("inf")
) -> Iterator[str]:
    """What is wrong with each file below `here`; sums are compared up to `checked` bytes."""
    for name, expected in sums.items():
        path, size = here / name, sizes[name]
        if not path.is_file():
            yield f"{path}: missing from the snapshot"
        elif path.stat().st_size != size:
            yield f"{path}: damaged (found {path.stat().st_size} bytes, expected {size})"
        elif size <= checked and digest(path) != expected:
            yield f"{path}: damaged (its SHA-256 is not the one in the manifest)"
