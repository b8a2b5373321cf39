"""The engine's own log for others to read: as UBI, or as feedback for off-policy evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from benchmarks.datasets import CORPUS
from benchmarks.engine_log import EngineLog
from benchmarks.plan_log import read_plan_log
from engine.errors import BadInput
from engine.formats import (
    EVENTS,
    QUERIES,
    document_to_json,
    event_to_json,
    search_to_json,
    write_json_lines,
)

Row = TypeVar("Row")
FEEDBACK = "plans.npz"


def export_ubi(folder: Path, out: Path, *, progress: bool = False) -> Mapping[str, int]:
    """Write corpus, searches and events of an index as a data set; {file: rows}.

    `query_attributes.policy` says which plan was played and how probable it was; see
    `EngineLog.searches`. What is written can be read by `benchmarks.datasets`, replayed, and
    imported into another index. Events on documents removed since are exported too.
    """
    with EngineLog(folder) as log:
        files = _fresh(out, (CORPUS[1], QUERIES[1], EVENTS[1]))
        # Read after the log was opened, so that it holds whatever the log names.
        catalog = log.catalog()

        def bar(rows: Iterable[Row], noun: str, total: int) -> Iterator[Row]:
            shown: Iterable[Row] = tqdm(
                rows, desc=noun, total=total, unit=f" {noun}", disable=not progress
            )
            return iter(shown)

        rows: tuple[Iterator[dict[str, Any]], ...] = (
            (document_to_json(d) for _, d in bar(catalog.documents(), "documents", len(catalog))),
            (search_to_json(s) for s in bar(log.searches(), "searches", log.search_count)),
            (event_to_json(e) for e in bar(log.events(), "events", log.event_count)),
        )
        return {
            path.name: write_json_lines(path, lines)
            for path, lines in zip(files, rows, strict=True)
        }


def export_open_bandit(folder: Path, out: Path, *, progress: bool = False) -> Mapping[str, int]:
    """Write what the index served, as `plans.npz` in Open Bandit's layout; {file: rounds}.

    See `benchmarks.plan_log.PlanLog` for its arrays; rewards are those of the index's settings.
    """
    with EngineLog(folder) as log:
        rounds = read_plan_log(log, log.config().rewards, progress=progress)
    (path,) = _fresh(out, (FEEDBACK,))
    rounds.save(path)
    return {path.name: len(rounds)}


FORMATS = {"ubi": export_ubi, "open-bandit": export_open_bandit}


def _fresh(out: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    files = tuple(out / name for name in names)
    for path in files:
        if path.exists():
            raise BadInput(f"{path}: exists already; export into another folder")
    out.mkdir(parents=True, exist_ok=True)
    return files
