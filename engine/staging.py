"""`DIR/STAGED`: snapshots that are learnt and wait for `promote`.

A staged snapshot was learnt from the one then in force, its base, and may take the place of that
one alone: whatever came into force since (a `learn`, documents added or removed) would be lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.durable import replace_text
from engine.errors import SnapshotError

STAGED = "STAGED"


@dataclass(frozen=True, slots=True)
class Staged:
    """A waiting snapshot: its `number`, the `version` of its state, and by `base` the SHA-256 of the
    manifest of the snapshot it was learnt from."""

    number: int
    version: int
    base: str


def read_staged(folder: Path) -> tuple[Staged, ...]:
    """What waits in an index, by number; SnapshotError where the file is damaged."""
    path = folder / STAGED
    if not path.is_file():
        return ()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found = [Staged(int(row["number"]), int(row["version"]), str(row["base"])) for row in rows]
    except (ValueError, TypeError, KeyError) as e:
        raise SnapshotError(f"{path}: damaged ({type(e).__name__}: {e})") from e
    return tuple(sorted(found, key=lambda one: one.number))


def write_staged(folder: Path, waiting: Iterable[Staged]) -> None:
    """Say what waits."""
    rows = [asdict(one) for one in sorted(waiting, key=lambda one: one.number)]
    replace_text(folder / STAGED, json.dumps(rows, indent=1))


def free_version(folder: Path, version: int) -> int:
    """The first version from `version` on that no staged state has: the log tells states apart by it."""
    return max([version, *(one.version + 1 for one in read_staged(folder))])


def waiting(folder: Path, ready: Sequence[int], number: int | None) -> int:
    """The snapshot to promote: `number`, or the latest of those that are `ready`.

    SnapshotError where there is none, or where it is outdated.
    """
    known = [one.number for one in read_staged(folder)]
    if number is None:
        if not known:
            raise SnapshotError(
                f"{folder}: no snapshot waits to be promoted; make one with `ltrr learn {folder} "
                "--stage`"
            )
        number = known[-1]
    if number in ready:
        return number
    if number in known:
        raise SnapshotError(
            f"{folder}: snapshot {number} is outdated: what is in force has changed since it was "
            "learnt (by learn, add, remove or promote), and that would be lost. Stage anew with "
            f"`ltrr learn {folder} --stage`"
        )
    waits = ", ".join(map(str, ready)) or "none"
    raise SnapshotError(f"snapshot: found {number}, expected a staged one; those waiting: {waits}")
