"""Walking a log: each search asked of all generators with what was known before it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from benchmarks.feeding import Feed, query_of
from benchmarks.replay_work import Work
from benchmarks.timeline import Timeline
from engine import LoggedSearch, Priced, Query, SearchEngine
from engine.state import State
from engine.understanding import read
from retrievers.base import Docs, Hits


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One search with what every generator returns at full depth.

    `ms` (s,): what each took; `wanted`: rows ever clicked in it, which only measuring may read;
    `clicks`: (row, visible since), for what learns from the past.
    """

    id: str
    query: Query
    hits: list[Hits]
    ms: list[float]
    wanted: Docs
    clicks: tuple[tuple[int, datetime], ...]


class Step:
    """Searches answered on one state. `start`: the time of the first; what is visible before it is
    in the state. `measured`: whether they lie after the warm-up.

    State and hits lie in the work folder and are read when asked for, so that a step is cheap to hold.
    """

    def __init__(self, walk: Walk, number: int) -> None:
        self._walk = walk
        self.number = number
        first = walk.ranges[number][0]
        self.start: datetime = walk.timeline.searches[first].time
        self.measured = first >= walk.warm

    @property
    def state(self) -> State:
        """What the engine knew."""
        return self._walk.work.state(self.number)

    @property
    def asked(self) -> list[Asked]:
        """Its searches in order of time."""
        return self._walk.asked(self)


class Walk:
    """The steps of a log in order of time, learnt or taken up where they were left.

    Before each range of searches, what is visible by then is learnt; ranges from search `warm` on are
    measured. Only searches with a click on something in the catalogue are asked: the others say
    nothing about quality. Nothing is learnt where the work follows that of another budget. `beside`: budgets
    priced on the way, so that others can follow this walk.
    """

    def __init__(
        self,
        engine: SearchEngine,
        timeline: Timeline,
        ranges: Sequence[tuple[int, int]],
        warm: int,
        feed: Feed,
        work: Work,
        beside: Sequence[float] = (),
    ) -> None:
        self.timeline = timeline
        self.ranges = ranges
        self.warm = warm
        self.work = work
        self._engine = engine
        self._feed = feed
        self._beside = tuple(Priced(budget=budget) for budget in beside)
        self._answers = _answers(timeline, engine)
        self._asked: dict[int, list[Asked]] = {}

    def __iter__(self) -> Iterator[Step]:
        engine = self._engine
        before = 0
        for number, (start, end) in enumerate(self.ranges):
            if not self.work.follows:
                if engine.state.version <= number:
                    self._feed.tell(before, start)
                    self._beside = engine.learn(beside=self._beside).beside
                    if self._beside:
                        self.work.keep_prices(number, self._beside)
                else:
                    # Interrupted before they were kept, there are none, and no other budget can follow.
                    self._beside = self.work.prices(number)
                if engine.state.version == number + 1:
                    self.work.keep_state(number, engine.state)
                    self._feed.serve(start, end)
            yield Step(self, number)
            before = start

    def asked(self, step: Step) -> list[Asked]:
        """The searches of a step; those of the last two steps are held."""
        if step.number not in self._asked:
            start, end = self.ranges[step.number]
            wanted = [s for s in self.timeline.searches[start:end] if self._answers.get(s.id)]
            found = self.work.hits(step.number)
            if found is None:
                found = [_ask(step.state, search) for search in wanted]
                self.work.keep_hits(step.number, found)
            self._asked[step.number] = [
                _joined(search, *hits, self._answers[search.id])
                for search, hits in zip(wanted, found, strict=True)
            ]
            while len(self._asked) > 2:
                del self._asked[next(iter(self._asked))]
        return self._asked[step.number]


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


def _ask(state: State, search: LoggedSearch) -> tuple[list[Hits], list[float]]:
    query = read(state, query_of(search), [], {})
    allowed, full = state.filters.mask(query.context.filters), int(state.ladder[-1])
    hits, ms = [], []
    for retriever in state.retrievers.values():
        since = time.perf_counter()
        hits.append(retriever.retrieve(query, full, allowed))
        ms.append((time.perf_counter() - since) * 1000.0)
    return hits, ms


def _joined(
    search: LoggedSearch, hits: list[Hits], ms: list[float], clicks: list[tuple[int, datetime]]
) -> Asked:
    wanted = np.array(sorted(row for row, _ in clicks), np.int32)
    return Asked(search.id, query_of(search), hits, ms, wanted, tuple(clicks))
