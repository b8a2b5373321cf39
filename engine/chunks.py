"""Unlearned records of the log, cut into chunks of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from engine.log import Log
from engine.log_rows import EventRow, SearchRow


@dataclass(frozen=True, slots=True)
class Searched:
    """A search with those of its events that are not learnt yet. `late`: the search itself is. `borrowed`:
    events of the next search that it is credited with, see `engine.chains`."""

    search: SearchRow
    events: list[EventRow]
    late: bool
    borrowed: list[EventRow] = field(default_factory=list)


@dataclass(slots=True)
class Chunk:
    """Records of one stretch of time, each list in order of time."""

    searches: list[Searched] = field(default_factory=list)
    outside: list[EventRow] = field(default_factory=list)


def period(seconds: float, chunk: Literal["day", "week", "month"]) -> tuple[int, int]:
    """The stretch of time (UTC) that a moment falls in."""
    time = datetime.fromtimestamp(seconds, UTC)
    if chunk == "month":
        return time.year, time.month
    if chunk == "week":
        year, week, _ = time.isocalendar()
        return year, week
    return time.year, time.timetuple().tm_yday


def beginning(seconds: float, chunk: Literal["day", "week", "month"]) -> float:
    """When the stretch of time began that a moment falls in, in POSIX seconds."""
    day = datetime.fromtimestamp(seconds, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if chunk == "month":
        day = day.replace(day=1)
    elif chunk == "week":
        day -= timedelta(days=day.weekday())
    return day.timestamp()


def chunks(
    log: Log,
    after: tuple[int, int],
    until: tuple[int, int],
    chunk: Literal["day", "week", "month"],
) -> Iterator[Chunk]:
    """Records after the learnt ones, in order of time; a search takes its events along.

    Events that answer a search learnt before come with that search again, marked late, in the
    chunk of their own time.
    """
    by_search: dict[str, list[EventRow]] = {}
    cut: dict[tuple[int, int], Chunk] = {}
    for event in log.events(after[1], until[1]):
        if event.impression is None:
            cut.setdefault(period(event.time, chunk), Chunk()).outside.append(event)
        else:
            by_search.setdefault(event.impression, []).append(event)
    for search in log.searches(after[0], until[0]):
        record = Searched(search, by_search.pop(search.impression, []), late=False)
        cut.setdefault(period(search.time, chunk), Chunk()).searches.append(record)
    learnt = log.searches_of(list(by_search))
    for impression, events in by_search.items():
        if impression in learnt:
            record = Searched(learnt[impression], events, late=True)
            cut.setdefault(period(events[0].time, chunk), Chunk()).searches.append(record)
    for _, one in sorted(cut.items()):
        yield one
