"""What may be recorded: feedback to an answered search, and history from elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.catalog import Catalog
from engine.config import EngineConfig
from engine.errors import BadEvent, SnapshotError
from engine.folder import Folder
from engine.log import Log
from engine.response import Event, LoggedSearch
from engine.snapshots import CURRENT, MANIFEST

Timed = tuple[Event, float]


def record_feedback(
    folder: Path, impression: str, *, clicks: Sequence[str] = (), events: Sequence[Event] = ()
) -> int:
    """`SearchEngine.feedback` without opening the index; how many of the events were new."""
    config = _stored_config(folder)
    with Folder(folder) as place:
        log = Log(place.log, config.durability)
        try:
            now = config.clock()
            return log.add_events(checked_feedback(log, config, impression, clicks, events, now))
        finally:
            log.close()


def _stored_config(folder: Path) -> EngineConfig:
    """The configuration alone: a log entry needs no array of the index to be sound."""
    pointer = folder / CURRENT
    if not pointer.is_file():
        raise SnapshotError(f"{folder}: holds no index; make one with `ltrr index`")
    path = folder / "snapshots" / pointer.read_text(encoding="utf-8").strip() / MANIFEST
    try:
        return EngineConfig.from_json(json.loads(path.read_text(encoding="utf-8"))["config"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise SnapshotError(f"{path}: damaged or missing ({e})") from e


def checked_feedback(
    log: Log,
    config: EngineConfig,
    impression: str,
    clicks: Sequence[str],
    events: Sequence[Event],
    now: float,
) -> list[Timed]:
    """The events as they go into the log, each with the place it was shown at."""
    if isinstance(clicks, str):
        raise BadEvent(f"clicks: found text {clicks!r}, expected a list of document ids")
    search = log.search(impression)
    if search is None:
        raise BadEvent(
            f"impression_id: no search with the id {impression!r} is in the log; it is "
            "Response.impression_id of a search of this index"
        )
    places = {document: place for place, document in enumerate(search.shown, start=1)}
    ready: list[Timed] = []
    for event in (*(Event("click", document) for document in clicks), *events):
        if event.document not in places:
            raise BadEvent(
                f"feedback: {event.document!r} was not shown in impression {impression}, which showed "
                f"{len(places)} items; record() takes what was done elsewhere"
            )
        if event.action not in config.rewards:
            raise BadEvent(
                f"Event.action: found {event.action!r}, known are {', '.join(config.rewards)}; give "
                "it a weight in EngineConfig.rewards (0 to keep it and learn nothing)"
            )
        _check_weight(event)
        ready.append(
            (
                replace(
                    event,
                    search=impression,
                    position=places[event.document] if event.position is None else event.position,
                    user=event.user or search.user,
                ),
                now if event.time is None else _seconds(event.time),
            )
        )
    return ready


History = tuple[str, float, str | None, str, Mapping[str, Any], Sequence[str]]


def checked_history(
    log: Log, catalog: Catalog, searches: Iterable[LoggedSearch], events: Iterable[Event]
) -> tuple[Iterator[History], Iterator[Timed]]:
    """Searches and events as they go into the log, checked one by one as they stream through."""
    ids: set[str] = set()

    def rows() -> Iterator[History]:
        for search in searches:
            if not search.id or not isinstance(search.query, str):
                raise BadEvent(f"LoggedSearch: needs an id and a query, found {search!r}")
            ids.add(search.id)
            context = {"attributes": dict(search.attributes)} if search.attributes else {}
            yield (
                search.id, _seconds(search.time), search.user, search.query, context, search.shown
            )  # fmt: skip

    def timed() -> Iterator[Timed]:
        for event in events:
            if catalog.row(event.document) is None:
                raise BadEvent(f"Event.document: no document has the id {event.document!r}")
            if event.time is None:
                raise BadEvent(
                    f"Event.time: history needs a time, found None for {event.document!r}"
                )
            if event.search is not None and event.search not in ids:
                if not log.has_search(event.search):
                    raise BadEvent(f"Event.search: no search has the id {event.search!r}")
                ids.add(event.search)
            _check_weight(event)
            yield event, _seconds(event.time)

    return rows(), timed()


def _check_weight(event: Event) -> None:
    if not math.isfinite(event.weight):
        raise BadEvent(f"Event.weight: found {event.weight}, expected a finite number")


def _seconds(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
