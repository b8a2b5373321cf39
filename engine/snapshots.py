"""States on disk: `DIR/snapshots/<n>`, and `DIR/CURRENT` naming the one in force.

A snapshot is written beside the others and renamed when complete; `CURRENT` is replaced last. A
crash at any moment leaves the old snapshot or the new one in force, never half of one. Its files
never change, so what is mapped from the snapshot in force is linked into the next one, not written
again; only `changes` grows (see `engine.changes`). Kept are the snapshot in force, the one before
it, and those staged for `promote`.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from engine.catalog import Catalog
from engine.changes import Change, ChangeFile, read_changes
from engine.config import EngineConfig
from engine.conversing import Conversation
from engine.durable import digest, replace_text, write_text
from engine.durable import sync_folder as _sync
from engine.errors import LtrrError, SnapshotError
from engine.filters import Filters
from engine.foresight import Foresight
from engine.names import Names
from engine.parts import load_policy, load_retrievers, make_fusion
from engine.pruning import Pruner
from engine.ranking_features import column_names
from engine.replaying import replayed
from engine.soundness import CHECKED, damage
from engine.staging import STAGED, Staged, read_staged, write_staged
from engine.state import State
from engine.statistics import PlanStatistics
from engine.surfaces_file import surfaces_from_json, surfaces_to_json
from engine.topics import Topics
from rankers.lambdamart import LambdaMART
from retrievers.arrays import file_id, sharing
from retrievers.base import Retriever
from retrievers.encoder import Encoder

FORMAT = 11
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
WAITING = 3
"""Staged snapshots kept, the latest."""


def write_snapshot(folder: Path, state: State, config: EngineConfig) -> Path:
    """Write `state` as the next snapshot of `folder`, not yet in force; its path."""
    snapshots = folder / "snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)
    number = max(_numbers(snapshots), default=0) + 1
    half = snapshots / f".half-{number}"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    before = snapshots / str(in_force(folder)) if (folder / CURRENT).is_file() else None
    with nullcontext() if before is None else sharing(before):
        _write_parts(half, state)
    files = {p.relative_to(half).as_posix(): p for p in sorted(half.rglob("*")) if p.is_file()}
    known = {} if before is None else _known_sums(before)
    manifest = {
        "format": FORMAT,
        "config": config.to_json(),
        "price": state.price,
        "bar": None if math.isinf(state.bar) else state.bar,
        "expected": None if math.isnan(state.expected) else state.expected,
        "drift": state.drift,
        "version": state.version,
        "learnt": list(state.learnt),
        "ranker": state.ranker is not None,
        "gated": state.gated is not None,
        "conversation": state.conversation is not None,
        "surfaces": surfaces_to_json(state.surfaces),
        "files": {name: known.get(file_id(p)) or digest(p) for name, p in files.items()},
        "sizes": {name: p.stat().st_size for name, p in files.items()},
    }
    write_text(half / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    done = snapshots / str(number)
    half.rename(done)
    _sync(snapshots)
    return done


def _known_sums(snapshot: Path) -> dict[tuple[int, int], str]:
    """{file: sum} of what a snapshot may have in common with the next."""
    sums: dict[str, str] = read_manifest(snapshot)["files"]
    return {file_id(snapshot / n): s for n, s in sums.items() if (snapshot / n).is_file()}


def stage(folder: Path, number: int, version: int, base: str) -> None:
    """Let a snapshot wait for `promote`; `base` is `base_of` the one it was learnt from."""
    now = in_force(folder)
    before = read_staged(folder)
    waiting = (*waiting_for(folder, now), Staged(number, version, base))[-WAITING:]
    write_staged(folder, waiting)
    _sync(folder)
    _remove(folder, {one.number for one in before} - {one.number for one in waiting} - {now})


def base_of(folder: Path, number: int) -> str:
    """What a snapshot is known by with the changes since it was written."""
    return change_file(folder, number).digest.hex()


def change_file(folder: Path, number: int) -> ChangeFile:
    """Where changes of a snapshot are kept."""
    here = folder / "snapshots" / str(number)
    return ChangeFile(here, bytes.fromhex(digest(here / MANIFEST)))


def in_force(folder: Path) -> int:
    """The number of the snapshot in force; SnapshotError where there is none."""
    pointer = folder / CURRENT
    if not pointer.is_file():
        raise SnapshotError(
            f"{folder}: holds no index (no file {CURRENT}); make one with `ltrr index`"
        )
    number = pointer.read_text(encoding="utf-8").strip()
    if not number.isdigit():
        raise SnapshotError(f"{pointer}: found {number!r}, expected the number of a snapshot")
    return int(number)


def put_in_force(folder: Path, number: int, changes: Iterable[Change] = ()) -> ChangeFile:
    """Let a snapshot that is there take over, and clear away those that are no longer needed.

    `changes`: what has happened since it was made. Further ones go into the file returned.
    """
    later = change_file(folder, number)
    later.append(changes)
    before = in_force(folder) if (folder / CURRENT).is_file() else number
    replace_text(folder / CURRENT, str(number))
    _sync(folder)
    waiting = tuple(one for one in read_staged(folder) if one.number != number)
    if waiting:
        # The latest stays even where it is outdated: it can be said of it, and no later state may
        # have its version.
        waiting = tuple({*waiting_for(folder, number), waiting[-1]})
    if (folder / STAGED).is_file():
        write_staged(folder, waiting)
    kept = {number, before, *(one.number for one in waiting)}
    _remove(folder, _numbers(folder / "snapshots") - kept)
    return later


def waiting_for(folder: Path, number: int) -> tuple[Staged, ...]:
    """The staged snapshots that were learnt from snapshot `number`, and may take its place."""
    waiting = read_staged(folder)
    base = base_of(folder, number) if waiting else ""
    return tuple(one for one in waiting if one.base == base)


def ready(folder: Path) -> tuple[int, ...]:
    """The staged snapshots that may take the place of the one in force, the latest last."""
    return tuple(one.number for one in waiting_for(folder, in_force(folder)))


def _numbers(snapshots: Path) -> set[int]:
    return {int(path.name) for path in snapshots.iterdir() if path.name.isdigit()}


def _remove(folder: Path, numbers: set[int]) -> None:
    for number in numbers:
        shutil.rmtree(folder / "snapshots" / str(number), ignore_errors=True)


def _write_parts(half: Path, state: State) -> None:
    writers: dict[str, Callable[[Path], None]] = {
        "catalog": state.catalog.save,
        "names": state.names.save,
        "topics": state.topics.save,
        "statistics": state.statistics.save,
        "policy": state.policy.save,
        **{f"retrievers/{name}": r.save for name, r in state.retrievers.items()},
    }
    if state.ranker is not None:
        writers["ranker"] = state.ranker.save
    if state.gated is not None:
        writers["gated"] = state.gated.save
    if state.foresight is not None:
        writers["foresight"] = state.foresight.save
    if state.pruner is not None:
        writers["pruner"] = state.pruner.save
    if state.conversation is not None:
        writers["conversation"] = state.conversation.save
    for name, write in writers.items():
        (half / name).mkdir(parents=True)
        write(half / name)


def read_snapshot(folder: Path, encoder: Encoder | str | None) -> tuple[State, EngineConfig]:
    """The snapshot in force; SnapshotError, naming the file, where it can't be read."""
    return read_state(folder / "snapshots" / str(in_force(folder)), encoder)


def read_state(
    here: Path, encoder: Encoder | str | None, until: bytes | None = None
) -> tuple[State, EngineConfig]:
    """One snapshot by its folder, with what has changed since it was written, up to a digest of its
    `ChangeFile` where one is named.

    SnapshotError, naming the file, where it can't be read.
    """
    manifest = read_manifest(here)
    for found in damage(here, manifest["files"], manifest["sizes"], CHECKED):
        raise SnapshotError(found)
    changes = read_changes(here, bytes.fromhex(digest(here / MANIFEST)), until)
    try:
        state, config = _read_parts(here, manifest, encoder)
        return replayed(state, changes), config
    except LtrrError:
        raise
    except (OSError, ValueError, KeyError) as e:
        raise SnapshotError(f"{here}: cannot be read ({type(e).__name__}: {e})") from e


def damaged(folder: Path) -> list[str]:
    """Every file of the snapshot in force that is missing or damaged, read as a whole, and how."""
    here = folder / "snapshots" / str(in_force(folder))
    manifest = read_manifest(here)
    read_changes(here, bytes.fromhex(digest(here / MANIFEST)))
    return list(damage(here, manifest["files"], manifest["sizes"]))


def read_manifest(here: Path) -> dict[str, Any]:
    """What a snapshot says of itself."""
    path = here / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise SnapshotError(f"{path}: damaged or missing ({e})") from e
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise SnapshotError(
            f"{path}: snapshot format {found!r}, this version of ltrr reads {FORMAT}; index anew or "
            "use the version that wrote it"
        )
    return dict(manifest)


def _read_parts(
    here: Path, manifest: dict[str, Any], encoder: Encoder | str | None
) -> tuple[State, EngineConfig]:
    config = EngineConfig.from_json(manifest["config"])
    catalog, names, retrievers = read_index(here, config, encoder)
    state = State(
        catalog=catalog,
        filters=Filters(catalog),
        names=names,
        topics=Topics.load(here / "topics"),
        retrievers=retrievers,
        statistics=PlanStatistics.load(here / "statistics"),
        foresight=Foresight.load(here / "foresight", len(retrievers), len(config.ladder))
        if (here / "foresight").is_dir()
        else None,
        pruner=Pruner.load(here / "pruner") if (here / "pruner").is_dir() else None,
        policy=load_policy(here / "policy"),
        price=float(manifest["price"]),
        bar=-math.inf if manifest["bar"] is None else float(manifest["bar"]),
        expected=float("nan") if manifest["expected"] is None else float(manifest["expected"]),
        drift=float(manifest["drift"]),
        fusion=make_fusion(column_names(retrievers)),
        ranker=LambdaMART.load(here / "ranker") if manifest["ranker"] else None,
        gated=LambdaMART.load(here / "gated") if manifest["gated"] else None,
        surfaces=surfaces_from_json(manifest["surfaces"]),
        version=int(manifest["version"]),
        learnt=(int(manifest["learnt"][0]), int(manifest["learnt"][1])),
        conversation=Conversation.load(here / "conversation") if manifest["conversation"] else None,
    )
    return state, config


def read_index(
    here: Path, config: EngineConfig, encoder: Encoder | str | None
) -> tuple[Catalog, Names, dict[str, Retriever]]:
    """What grows with the catalogue, mapped from the files of a snapshot as far as it can be."""
    return (
        Catalog.load(here / "catalog"),
        Names.load(here / "names"),
        load_retrievers(config, here / "retrievers", encoder),
    )


def read_catalog(here: Path) -> Catalog:
    """The documents of a snapshot, with what has changed since it was written."""
    catalog = Catalog.load(here / "catalog")
    for change in read_changes(here, bytes.fromhex(digest(here / MANIFEST))):
        catalog.remove(change.removed)
        catalog.add(change.added)
    return catalog
