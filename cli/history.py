"""Streaming a UBI log into an engine, knowing at any moment which row it is at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from engine import Document, Event, LoggedSearch, SearchEngine

Row = TypeVar("Row")
Lookup = Callable[[str], "Document | None"]


class History:
    """The searches and events of a folder or of files, counted while they stream by.

    `lookup`: where given, events on documents it does not know are skipped and counted.
    """

    def __init__(self, paths: Sequence[Path], lookup: Lookup | None = None) -> None:
        self.searches = self.events = self.skipped = 0
        self._lookup = lookup
        self._queries_file, self._events_file = _files(paths)
        self._at: tuple[Path, int] | None = None

    def into(self, engine: SearchEngine, progress: bool) -> tuple[int, int]:
        """Record everything; how many (searches, events) were new.

        An error of the engine comes with file and row where it does not name the file itself.
        """
        from engine import BadEvent

        try:
            return engine.record(self._read_searches(progress), self._read_events(progress))
        except BadEvent as e:
            if self._at is None or str(self._at[0]) in str(e):
                raise
            path, row = self._at
            raise BadEvent(f"{path}, row {row}: {e}") from e

    def _read_searches(self, progress: bool) -> Iterator[LoggedSearch]:
        from engine.formats import read_searches

        if self._queries_file is not None:
            for search in self._rows(
                self._queries_file, read_searches(self._queries_file), "searches", progress
            ):
                self.searches += 1
                yield search

    def _read_events(self, progress: bool) -> Iterator[Event]:
        from engine.formats import read_events

        if self._events_file is not None:
            for event in self._rows(
                self._events_file, read_events(self._events_file), "events", progress
            ):
                if self._lookup is not None and self._lookup(event.document) is None:
                    self.skipped += 1
                    continue
                self.events += 1
                yield event

    def _rows(self, path: Path, rows: Iterator[Row], noun: str, progress: bool) -> Iterator[Row]:
        from tqdm import tqdm

        total = _count(path) if progress else None
        bar = tqdm(rows, desc=noun, total=total, unit=f" {noun}", disable=not progress)
        for number, row in enumerate(bar, start=1):
            self._at = path, number
            yield row


def _files(paths: Sequence[Path]) -> tuple[Path | None, Path | None]:
    """(queries, events) of one folder, or of one or two files in any order."""
    from engine import BadEvent
    from engine.formats import EVENTS, QUERIES

    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0]
        queries, events = (
            next((folder / name for name in names if (folder / name).exists()), None)
            for names in (QUERIES, EVENTS)
        )
        if queries is None and events is None:
            raise BadEvent(
                f"{folder}: holds neither {QUERIES[0]} nor {EVENTS[0]} (or .gz); expected a UBI log"
            )
        return queries, events
    found: dict[bool, Path] = {}
    for path in paths:
        if path.is_dir() or not path.exists():
            problem = "is a folder; give one folder, or files" if path.is_dir() else "no such file"
            raise BadEvent(f"{path}: {problem}")
        is_queries = _holds_queries(path)
        if is_queries in found:
            kind = "queries" if is_queries else "events"
            raise BadEvent(f"{path}: a second file of {kind}, after {found[is_queries]}")
        found[is_queries] = path
    return found.get(True), found.get(False)


def _holds_queries(path: Path) -> bool:
    """By what the first row holds, since a file may have any name."""
    from engine import BadEvent
    from engine.formats import json_lines

    for number, row in json_lines(path, BadEvent):
        if "user_query" in row:
            return True
        if "action_name" in row:
            return False
        raise BadEvent(
            f"{path}, line {number}: has neither `user_query` (a file of searches) nor "
            "`action_name` (a file of events); expected a UBI log"
        )
    return False


def _count(path: Path) -> int | None:
    """Lines of a file, for the bar; None where it can't be read, which reading it will tell."""
    from engine.formats import open_text

    try:
        with open_text(path) as lines:
            return sum(1 for _ in lines)
    except (OSError, EOFError, ValueError):
        return None
