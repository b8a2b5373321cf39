"""Walking a log: each search asked of all generators with what was known before it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from benchmarks.timeline import Timeline
from engine import Context, LoggedSearch, Query, SearchEngine
from engine.answering import on_the_hour
from engine.query_features import QueryFacts
from engine.state import State
from retrievers.base import Docs, Hits


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One search with what every generator returns at full depth.

    `ms` (s,): what each took; `wanted`: rows ever clicked in it, which only measuring may read;
    `clicks`: (row, visible since), for what learns from the past.
    """

    id: str
    query: Query
    facts: QueryFacts
    hits: list[Hits]
    ms: list[float]
    wanted: Docs
    clicks: tuple[tuple[int, datetime], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Searches answered on one state. `start`: the time of the first; what is visible before it is
    in the state. `measured`: whether they lie after the warm-up."""

    state: State
    start: datetime
    asked: list[Asked]
    measured: bool


def walk(
    engine: SearchEngine,
    timeline: Timeline,
    ranges: Sequence[tuple[int, int]],
    warm: int,
) -> Iterator[Step]:
    """Learn what lies before each range of searches, then ask them; ranges from search `warm` on are
    measured. Only searches with a click on something in the catalogue are asked: the others are
    learnt, and say nothing about quality."""
    answers = _answers(timeline, engine)
    done = (0, 0)
    for start, end in ranges:
        known = timeline.known(start)
        engine.record(timeline.searches[done[0] : known[0]], timeline.events[done[1] : known[1]])
        engine.learn()
        done = known
        state = engine.state
        asked = [
            _ask(state, search, answers[search.id])
            for search in timeline.searches[start:end]
            if answers.get(search.id)
        ]
        yield Step(state, timeline.searches[start].time, asked, start >= warm)


def _answers(timeline: Timeline, engine: SearchEngine) -> dict[str, list[tuple[int, datetime]]]:
    """{search: (row, visible since) of what was liked}, each row once, when first liked."""
    rewards, catalog = engine.config.rewards, engine.state.catalog
    found: dict[str, dict[int, datetime]] = {}
    for event, since in zip(timeline.events, timeline.visible, strict=True):
        row = catalog.row(event.document)
        if (
            event.search is not None
            and row is not None
            and rewards.get(event.action, 0.0) * event.weight > 0
        ):
            found.setdefault(event.search, {}).setdefault(row, since)
    return {search: list(rows.items()) for search, rows in found.items()}


def query_of(search: LoggedSearch) -> Query:
    """A logged search as the engine reads it when it learns from it."""
    context = Context(
        user=search.user,
        time=on_the_hour(search.time.timestamp()),
        attributes=dict(search.attributes),
    )
    return Query(text=search.query, context=context, typed=search.query)


def _ask(state: State, search: LoggedSearch, clicks: list[tuple[int, datetime]]) -> Asked:
    query = query_of(search)
    allowed, full = state.filters.mask(query.context.filters), int(state.ladder[-1])
    hits, ms = [], []
    for retriever in state.retrievers.values():
        since = time.perf_counter()
        hits.append(retriever.retrieve(query, full, allowed))
        ms.append((time.perf_counter() - since) * 1000.0)
    wanted = np.array(sorted(row for row, _ in clicks), np.int32)
    return Asked(search.id, query, state.facts(query), hits, ms, wanted, tuple(clicks))
