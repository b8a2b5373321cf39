"""States on disk: `DIR/snapshots/<n>`, and `DIR/CURRENT` naming the one in force.

A snapshot is written beside the others and renamed when complete; `CURRENT` is replaced last. A
crash at any moment leaves the old snapshot or the new one in force, never half of one.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.catalog import Catalog
from engine.config import EngineConfig
from engine.errors import LtrrError, SnapshotError
from engine.filters import Filters
from engine.names import Names
from engine.parts import load_policy, load_retrievers, make_fusion
from engine.ranking_features import column_names
from engine.state import State
from engine.statistics import PlanStatistics
from engine.topics import Topics
from rankers.lambdamart import LambdaMART
from rankers.propensity import Examination
from retrievers.encoder import Encoder

FORMAT = 2
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
KEPT = 2
"""Snapshots kept: the one in force and the one before it."""
BLOCK = 1 << 20


def write_snapshot(folder: Path, state: State, config: EngineConfig) -> Path:
    """Write `state` as the next snapshot of `folder` and put it in force; its path."""
    snapshots = folder / "snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)
    numbers = [int(p.name) for p in snapshots.iterdir() if p.name.isdigit()]
    number = max(numbers, default=0) + 1
    half = snapshots / f".half-{number}"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    _write_parts(half, state)
    files = sorted(p for p in half.rglob("*") if p.is_file())
    manifest = {
        "format": FORMAT,
        "config": config.to_json(),
        "price": state.price,
        "expected": None if math.isnan(state.expected) else state.expected,
        "drift": state.drift,
        "version": state.version,
        "learnt": list(state.learnt),
        "ranker": state.ranker is not None,
        "examination": _examination_to_json(state.examination),
        "files": {p.relative_to(half).as_posix(): _digest(p) for p in files},
    }
    _write_text(half / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    done = snapshots / str(number)
    half.rename(done)
    _sync(snapshots)
    _write_text(folder / (CURRENT + ".new"), str(number))
    (folder / (CURRENT + ".new")).replace(folder / CURRENT)
    _sync(folder)
    for old in sorted(numbers)[: -(KEPT - 1) or None]:
        shutil.rmtree(snapshots / str(old), ignore_errors=True)
    return done


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
    for name, write in writers.items():
        (half / name).mkdir(parents=True)
        write(half / name)


def read_snapshot(folder: Path, encoder: Encoder | str | None) -> tuple[State, EngineConfig]:
    """The snapshot in force; SnapshotError, naming the file, where it can't be read."""
    pointer = folder / CURRENT
    if not pointer.is_file():
        raise SnapshotError(
            f"{folder}: holds no index (no file {CURRENT}); make one with `ltrr index`"
        )
    number = pointer.read_text(encoding="utf-8").strip()
    if not number.isdigit():
        raise SnapshotError(f"{pointer}: found {number!r}, expected the number of a snapshot")
    here = folder / "snapshots" / number
    manifest = _manifest(here)
    for name, digest in manifest["files"].items():
        path = here / name
        if not path.is_file():
            raise SnapshotError(f"{path}: missing from the snapshot")
        if _digest(path) != digest:
            raise SnapshotError(f"{path}: damaged (its SHA-256 is not the one in {MANIFEST})")
    try:
        return _read_parts(here, manifest, encoder)
    except LtrrError:
        raise
    except (OSError, ValueError, KeyError) as e:
        raise SnapshotError(f"{here}: cannot be read ({type(e).__name__}: {e})") from e


def _manifest(here: Path) -> dict[str, Any]:
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
    catalog = Catalog.load(here / "catalog")
    retrievers = load_retrievers(config, here / "retrievers", encoder)
    state = State(
        catalog=catalog,
        filters=Filters(catalog),
        names=Names.load(here / "names"),
        topics=Topics.load(here / "topics"),
        retrievers=retrievers,
        statistics=PlanStatistics.load(here / "statistics"),
        policy=load_policy(here / "policy"),
        price=float(manifest["price"]),
        expected=float("nan") if manifest["expected"] is None else float(manifest["expected"]),
        drift=float(manifest["drift"]),
        fusion=make_fusion(column_names(retrievers)),
        ranker=LambdaMART.load(here / "ranker") if manifest["ranker"] else None,
        examination=_examination_from_json(manifest["examination"]),
        version=int(manifest["version"]),
        learnt=(int(manifest["learnt"][0]), int(manifest["learnt"][1])),
    )
    return state, config


def _examination_to_json(examination: Examination) -> dict[str, Any]:
    errors = examination.errors
    return {
        "curve": examination.curve.tolist(),
        "errors": None
        if errors is None
        else [error if np.isfinite(error) else None for error in errors.tolist()],
        "floor": examination.floor,
    }


def _examination_from_json(data: dict[str, Any]) -> Examination:
    errors = data["errors"]
    return Examination(
        np.array(data["curve"], np.float64),
        None if errors is None else np.array([np.inf if e is None else e for e in errors]),
        float(data["floor"]),
    )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
