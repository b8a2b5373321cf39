"""A log in order of time: where its warm-up ends, its steps, and what is known when."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.datasets import Dataset
from engine.errors import BadEvent, BadInput
from engine.response import Event, LoggedSearch

MONTH = "month"
"""`every` for steps of calendar months (UTC)."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Searches by time; events by the time they become visible, which is theirs, or that of the
    search they answer where that is later; `visible` has that time of each event."""

    searches: tuple[LoggedSearch, ...]
    events: tuple[Event, ...]
    visible: tuple[datetime, ...]

    def boundary(self, index: int) -> int:
        """The last index at or before this one where a new timestamp begins."""
        if index >= len(self.searches):
            return len(self.searches)
        time = self.searches[index].time
        return bisect_left(self.searches, time, key=lambda search: search.time)

    def steps(self, first: int, last: int, every: int | str) -> Iterator[tuple[int, int]]:
        """Ranges [start, end) of searches from boundary `first` to `last`, each beginning at a
        new timestamp: calendar months, or at least `every` searches."""
        start = first
        while start < last:
            if every == MONTH:
                month = _month(self.searches[start].time)
                end = bisect_right(self.searches, month, key=lambda search: _month(search.time))
            else:
                end = start + int(every)
                if end < last:
                    time = self.searches[end - 1].time
                    end = bisect_right(self.searches, time, key=lambda search: search.time)
            yield start, min(end, last)
            start = end

    def known(self, index: int) -> tuple[int, int]:
        """(searches, events), how many of each are known when search `index` is asked: those whose
        time has passed. Past the end of the log: all."""
        if index >= len(self.searches):
            return len(self.searches), len(self.events)
        time = self.searches[index].time
        return self.boundary(index), bisect_left(self.visible, time)


def _month(time: datetime) -> tuple[int, int]:
    utc = time.astimezone(UTC)
    return utc.year, utc.month


def read_timeline(dataset: Dataset, *, profile: bool = True) -> Timeline:
    """The log of a data set. BadEvent where an event answers a search that isn't in it."""
    return make_timeline(dataset.searches(), dataset.events(profile=profile))


def make_timeline(searches: Iterable[LoggedSearch], events: Iterable[Event]) -> Timeline:
    """Put a log in order; ties keep the order given."""
    ordered = tuple(sorted(searches, key=lambda search: search.time))
    if not ordered:
        raise BadInput("replay: the log holds no search; expected ubi_queries.jsonl with some")
    asked = {search.id: search.time for search in ordered}
    timed: list[tuple[datetime, Event]] = []
    for event in events:
        if event.time is None:
            raise BadEvent(f"Event.time: found None for {event.document!r}; a log needs times")
        if event.search is not None and event.search not in asked:
            raise BadEvent(
                f"Event.search: no search has the id {event.search!r}; `ltrr validate` names all such"
            )
        since = event.time if event.search is None else max(event.time, asked[event.search])
        timed.append((since, event))
    timed.sort(key=lambda pair: pair[0])
    return Timeline(
        searches=ordered,
        events=tuple(event for _, event in timed),
        visible=tuple(time for time, _ in timed),
    )
