"""A small made log to replay, and what is compared of two replays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.replay import ReplayOptions
from benchmarks.replayed import Replay
from engine import EngineConfig, Event, LoggedSearch
from engine.formats import document_to_json, event_to_json, search_to_json, write_json_lines
from tests.conftest import songs

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
CONFIG = EngineConfig(
    budget=15.0,
    generators=("bm25", "memory", "personal", "popular"),
    ladder=(0, 3, 10, 30),
    ranker_options={"n_estimators": 10, "min_child_samples": 3},
)
OPTIONS = ReplayOptions(warmup=0.5)
COMPETING = ("ltrr", *CONFIG.generators, "rrf", "minmax", "static_union", "best_fixed")
"""Systems that may not look ahead."""
WORDS = ("rock", "jazz", "silver river", "love", "song", "night")


def made_log(seed: int = 0) -> tuple[list[LoggedSearch], list[Event]]:
    """Eight months of twenty searches by ten users, who like documents of their own."""
    rng = np.random.default_rng(seed)
    ids = [document.id for document in songs()]
    searches, events = [], []
    for i in range(160):
        user, time = f"u{rng.integers(10)}", FIRST + timedelta(hours=36 * i)
        word = WORDS[int(rng.integers(len(WORDS)))]
        searches.append(LoggedSearch(f"q{i}", word, time, user=user))
        for place in rng.choice(12, 2, replace=False):
            document = ids[(int(user[1:]) * 12 + int(place)) % len(ids)]
            late = timedelta(days=40 if rng.random() < 0.1 else 0)
            events.append(Event("click", document, time + late, user=user, search=f"q{i}"))
    events.append(Event("listen", ids[0], FIRST, user="u0"))
    return searches, events


def write(folder: Path, searches: Sequence[LoggedSearch], events: Sequence[Event]) -> Path:
    folder.mkdir()
    write_json_lines(folder / "corpus.jsonl", map(document_to_json, songs()))
    write_json_lines(folder / "ubi_queries.jsonl", map(search_to_json, searches))
    write_json_lines(folder / "ubi_events.jsonl", map(event_to_json, events))
    return folder


def permuted(events: Sequence[Event], turn: datetime) -> list[Event]:
    """The same events, with the documents of those from `turn` on exchanged."""
    later = [i for i, event in enumerate(events) if event.time and event.time >= turn]
    shuffled = list(events)
    for i, j in zip(later, np.random.default_rng(1).permutation(later), strict=True):
        shuffled[i] = replace(events[i], document=events[j].document)
    return shuffled


def before(made: Replay, steps: int) -> set[str]:
    """The searches of the first measured steps."""
    return {one.id for one in made.asked[: sum(step.size for step in made.steps[:steps])]}


def timeless(value: Any) -> Any:
    """A report without what differs from run to run."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if not k.startswith("ms_")}
    return [timeless(v) for v in value] if isinstance(value, list) else value
