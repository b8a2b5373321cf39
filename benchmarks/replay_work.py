"""The work folder of a replay, from which an interrupted one goes on.

    manifest.json               options, settings and sums of the data files: what must be the same
    budget-<b>/engine/          the engine, its log and its last snapshots
    budget-<b>/<step>/state/    its snapshot after a step; files that did not change are hard links
    budget-<b>/<step>/hits.npz  what every generator returned to the searches of the step
    budget-<b>/<step>/prices.json  what a candidate costs at the other budgets, where they share the states
    budget-<b>/<step>/answers/  <system>.npz

Everything is written beside its place and renamed when complete.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers import Answers
from engine import BadInput, Priced
from engine.budgets import priced_as
from engine.durable import digest, replace_text
from engine.snapshots import CURRENT, MANIFEST, in_force, read_snapshot
from engine.state import State
from retrievers.base import Hits
from retrievers.encoder import Encoder

FOLDER = "work"
OPTIONS = "manifest.json"
PRICES = "prices.json"
HELD = 32
"""States held in memory; older ones are read again."""


class Work:
    """What one replay at one budget has done so far. `shared`: the folder of another budget with the
    same hits, None where there is none; see `follow` for its states."""

    def __init__(
        self, folder: Path, encoder: Encoder | str | None = None, shared: Path | None = None
    ) -> None:
        self.folder = folder
        self._encoder = encoder
        self._shared = folder if shared is None else shared
        self._budget: float | None = None
        self._states: OrderedDict[int, State] = OrderedDict()
        self._sums: dict[str, Path] = {}

    def follow(self, steps: int, budget: float) -> None:
        """Take states and engine from the shared folder, at the prices that its walk found for this budget, if it
        did at every step."""
        if self._shared != self.folder and all(
            self._priced(step, budget) is not None for step in range(steps)
        ):
            self._budget = budget

    @property
    def follows(self) -> bool:
        """Whether states and engine are those of the shared folder."""
        return self._budget is not None

    @property
    def engine(self) -> Path:
        """The engine's folder."""
        return (self._shared if self.follows else self.folder) / "engine"

    def state(self, step: int) -> State:
        """The state after a step."""
        if step not in self._states:
            folder = self._shared if self.follows else self.folder
            state = read_snapshot(folder / str(step) / "state", self._encoder)[0]
            priced = None if self._budget is None else self._priced(step, self._budget)
            self._hold(step, state if priced is None else priced_as(state, priced))
        return self._states[step]

    def prices(self, step: int) -> tuple[Priced, ...]:
        """What a candidate cost at the other budgets after a step; none where it is not known."""
        return _prices(self.folder / str(step) / PRICES)

    def keep_prices(self, step: int, prices: Sequence[Priced]) -> None:
        """Keep the prices at other budgets after a step."""
        path = self.folder / str(step) / PRICES
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps([asdict(one) for one in prices]))

    def _priced(self, step: int, budget: float) -> Priced | None:
        found = _prices(self._shared / str(step) / PRICES)
        return next((one for one in found if one.budget == budget), None)

    def keep_state(self, step: int, state: State) -> None:
        """Keep the engine's snapshot in force, which holds `state`, as that of a step."""
        self._hold(step, state)
        place = self.folder / str(step) / "state"
        if place.exists():
            return
        number = str(in_force(self.engine))
        source = self.engine / "snapshots" / number
        half = place.with_name(".half-state")
        shutil.rmtree(half, ignore_errors=True)
        target = half / "snapshots" / number
        sums = json.loads((source / MANIFEST).read_text(encoding="utf-8"))["files"]
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            name = path.relative_to(source).as_posix()
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            _link(self._sums.get(sums.get(name, ""), path), target / name)
        (half / CURRENT).write_text(number, encoding="utf-8")
        half.rename(place)
        self._sums = {sum: place / "snapshots" / number / name for name, sum in sums.items()}

    def _hold(self, step: int, state: State) -> None:
        self._states[step] = state
        if len(self._states) > HELD:
            self._states.popitem(last=False)

    def hits(self, step: int) -> list[tuple[list[Hits], list[float]]] | None:
        """(hits, milliseconds of each generator) per search of a step; None where not yet asked."""
        path = self._shared / str(step) / "hits.npz"
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as data:
            docs, scores, sizes, ms = (data[key] for key in ("docs", "scores", "sizes", "ms"))
        ends = np.cumsum(sizes.ravel())[:-1]
        cut = [
            Hits(d, s) for d, s in zip(np.split(docs, ends), np.split(scores, ends), strict=True)
        ]
        asked = sizes.shape[1]
        return [
            (cut[place * asked : (place + 1) * asked], spent)
            for place, spent in enumerate(ms.tolist())
        ]

    def keep_hits(self, step: int, found: Sequence[tuple[list[Hits], list[float]]]) -> None:
        """Keep the hits of a step's searches, of which there are some."""
        every = [hit for hits, _ in found for hit in hits]
        if every:
            arrays = {
                "docs": np.concatenate([hit.docs for hit in every]),
                "scores": np.concatenate([hit.scores for hit in every]),
                "sizes": np.array([[len(hit) for hit in hits] for hits, _ in found], np.int32),
                "ms": np.array([ms for _, ms in found]),
            }
            _save(self._shared / str(step) / "hits.npz", arrays)

    def answers(self, step: int, system: str) -> Answers | None:
        """What a system answered in a step; None where it has not yet."""
        path = self.folder / str(step) / "answers" / f"{system}.npz"
        return Answers.load(path) if path.exists() else None

    def keep_answers(self, step: int, system: str, made: Answers) -> None:
        """Keep what a system answered."""
        _save(self.folder / str(step) / "answers" / f"{system}.npz", made.arrays())


def _prices(path: Path) -> tuple[Priced, ...]:
    if not path.exists():
        return ()
    # Python's JSON knows NaN, and reads a float as it was.
    return tuple(Priced(**one) for one in json.loads(path.read_text(encoding="utf-8")))


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".half-{path.name}")
    np.savez(half, allow_pickle=False, **arrays)
    half.replace(path)


def sums_of(files: Sequence[Path | None]) -> dict[str, str]:
    """{name: SHA-256} of the files that there are."""
    return {path.name: digest(path) for path in files if path is not None}


def open_work(out: Path, about: Mapping[str, Any], *, resume: bool) -> Path:
    """The work folder of a replay into `out`, made where there is none.

    BadInput where it holds an unfinished replay and `resume` isn't set, or one with other options,
    settings or data. `resume` where nothing is unfinished begins anew.
    """
    folder = out / FOLDER
    given = json.loads(json.dumps(about))
    if not (folder / OPTIONS).exists():
        if folder.exists() and any(folder.iterdir()):
            raise BadInput(
                f"{folder}: holds files that no replay has left; replay into another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder / OPTIONS, json.dumps(given, ensure_ascii=False, indent=1))
        return folder
    if not resume:
        raise BadInput(
            f"{out}: holds an unfinished replay; go on with it by --resume, or remove {folder} to "
            "begin anew"
        )
    try:
        there = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
    except ValueError as e:
        raise BadInput(f"{folder / OPTIONS}: damaged ({e}); remove {folder}") from e
    differing = [key for key in {**there, **given} if there.get(key) != given.get(key)]
    if differing:
        found = "; ".join(
            f"{key}: now {given.get(key)!r}, then {there.get(key)!r}" for key in differing
        )
        raise BadInput(
            f"--resume: {out} holds a replay with other options or data ({found}); give the same, or "
            f"remove {folder} to begin anew"
        )
    return folder
