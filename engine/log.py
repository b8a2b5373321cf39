"""The log: every answered search and every event, in SQLite, growing only.

What a call has returned from is durable: write-ahead logging with synchronous=NORMAL survives the
death of the process at any moment, FULL also that of the machine.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from engine.errors import SnapshotError
from engine.log_rows import (
    ADD_SERVED,
    FORMAT,
    MIGRATIONS,
    OF_IMPRESSIONS,
    PICK_EVENTS,
    PICK_JUDGED,
    PICK_SEARCHES,
    SCHEMA,
    EventRow,
    FeatureRows,
    SearchRow,
    Served,
    read_interleaved,
    search_row,
)
from engine.response import Event


class Log:
    """One connection, used under a lock; several threads may share a `Log`."""

    def __init__(self, path: Path, durability: Literal["normal", "full"] = "normal") -> None:
        self.path = path
        self._lock = threading.Lock()
        self._columns: dict[tuple[str, ...], int] = {}
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={durability.upper()}")
            self._bring_up_to_date()
            self._db.executescript(SCHEMA)
            self._db.execute(f"PRAGMA user_version={FORMAT}")
        except sqlite3.DatabaseError as e:
            raise SnapshotError(f"{path}: not a readable log ({e})") from e

    def _bring_up_to_date(self) -> None:
        """Make an older log one of this format: wholly, or where that fails not at all."""
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise SnapshotError(
                f"{self.path}: log format {version}, this version of ltrr reads {FORMAT}; use the "
                "version that wrote it, or a later one"
            )
        if version:
            with self._transaction():
                for older in range(version, FORMAT):
                    self._db.execute(MIGRATIONS[older])
                self._db.execute(f"PRAGMA user_version={FORMAT}")

    def close(self) -> None:
        """Close the connection; a closed log can't be used again."""
        with self._lock:
            self._db.close()

    def memory(self) -> int:
        """Bytes that SQLite may hold of the log: the pages of its cache."""
        with self._lock:
            pages = int(self._db.execute("PRAGMA cache_size").fetchone()[0])
            page = int(self._db.execute("PRAGMA page_size").fetchone()[0])
        return -pages * 1024 if pages < 0 else pages * page

    def copy_to(self, path: Path) -> None:
        """A consistent copy, taken while searches go on."""
        with self._lock:
            target = sqlite3.connect(path)
            try:
                self._db.backup(target)
            finally:
                target.close()

    def add_searches(self, served: Iterable[Served]) -> None:
        """Answered searches with their features as served, in one transaction."""
        with self._lock, self._transaction():
            for one in served:
                seq = self._db.execute(ADD_SERVED, one.values()).lastrowid
                if seq is None:
                    raise SnapshotError(f"{self.path}: the log gave no row id")
                self._put_rows(seq, one.rows)

    def add_history(
        self,
        searches: Iterable[tuple[str, float, str | None, str, Mapping[str, Any], Sequence[str]]],
        events: Iterable[tuple[Event, float]],
    ) -> tuple[int, int]:
        """Imported searches (id, time, user, query, context, shown) and events with their times.

        All or nothing. Returns how many of each were new.
        """
        with self._lock, self._transaction():
            before = self._db.total_changes
            self._db.executemany(
                "INSERT OR IGNORE INTO searches (impression, time, user, typed, text, context, "
                "imported, shown) VALUES (?,?,?,?,?,?,1,?)",
                (
                    (id, time, user, query, query, json.dumps(context), json.dumps(list(shown)))
                    for id, time, user, query, context, shown in searches
                ),
            )
            between = self._db.total_changes
            self._insert_events(events)
            return between - before, self._db.total_changes - between

    def add_events(self, events: Sequence[tuple[Event, float]]) -> int:
        """Events with their times in POSIX seconds; how many were new."""
        with self._lock, self._transaction():
            before = self._db.total_changes
            self._insert_events(events)
            return self._db.total_changes - before

    def _insert_events(self, events: Iterable[tuple[Event, float]]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO events (id, impression, user, action, document, time, position, "
            "weight) VALUES (?,?,?,?,?,?,?,?)",
            (
                (e.id, e.search, e.user, e.action, e.document, time, e.position, e.weight)
                for e, time in events
            ),
        )

    def put_rows(self, rows: Iterable[tuple[int, FeatureRows]]) -> None:
        """Features of imported searches, by seq; replaces what an interrupted `learn` left."""
        with self._lock, self._transaction():
            for seq, features in rows:
                self._put_rows(seq, features)

    def _put_rows(self, seq: int, rows: FeatureRows) -> None:
        columns = self._columns.get(rows.names)
        if columns is None:
            names = json.dumps(rows.names)
            self._db.execute("INSERT OR IGNORE INTO columns (names) VALUES (?)", (names,))
            columns = int(
                self._db.execute("SELECT id FROM columns WHERE names=?", (names,)).fetchone()[0]
            )
            self._columns[rows.names] = columns
        self._db.execute(
            "INSERT OR REPLACE INTO rows VALUES (?,?,?,?,?)",
            (
                seq, columns, json.dumps(rows.documents),
                rows.weights.astype(np.float32).tobytes(),
                rows.features.astype(np.float32).tobytes(),
            ),
        )  # fmt: skip

    def search(self, impression: str) -> SearchRow | None:
        """A search by its impression id."""
        with self._lock:
            row = self._db.execute(PICK_SEARCHES + "WHERE impression = ?", (impression,)).fetchone()
        return None if row is None else search_row(row)

    def has_search(self, impression: str) -> bool:
        """Whether the log holds a search; may be asked while history streams in."""
        found = self._db.execute("SELECT 1 FROM searches WHERE impression = ?", (impression,))
        return found.fetchone() is not None

    def searches(self, after: int, until: int) -> list[SearchRow]:
        """Searches with after < seq ≤ until, by time."""
        with self._lock:
            rows = self._db.execute(
                PICK_SEARCHES + "WHERE seq > ? AND seq <= ? ORDER BY time, seq", (after, until)
            ).fetchall()
        return [search_row(row) for row in rows]

    def searches_of(self, impressions: Sequence[str]) -> dict[str, SearchRow]:
        """Those of the named searches that the log holds."""
        with self._lock:
            rows = self._db.execute(
                PICK_SEARCHES + OF_IMPRESSIONS, (json.dumps(impressions),)
            ).fetchall()
        return {row[1]: search_row(row) for row in rows}

    def events(self, after: int, until: int) -> list[EventRow]:
        """Events with after < seq ≤ until, by time."""
        with self._lock:
            rows = self._db.execute(
                PICK_EVENTS + "WHERE seq > ? AND seq <= ? ORDER BY time, seq", (after, until)
            ).fetchall()
        return [EventRow(*row) for row in rows]

    def deeds(self, since: float, until: int) -> list[tuple[str, str, str, int]]:
        """(user, document, action, how often) of the named since a time, up to the seq `until`."""
        with self._lock:
            return self._db.execute(
                "SELECT user, document, action, COUNT(*) FROM events WHERE seq <= ? AND time >= ? "
                "AND user IS NOT NULL GROUP BY user, document, action",
                (until, since),
            ).fetchall()

    def interleaved(self) -> tuple[list[SearchRow], list[EventRow]]:
        """Every interleaved search and the events on them, in order of the log."""
        with self._lock:
            return read_interleaved(self._db)

    def last(self) -> tuple[int, int]:
        """The last seq of searches and of events."""
        with self._lock:
            searches = self._db.execute("SELECT COALESCE(MAX(seq), 0) FROM searches").fetchone()[0]
            events = self._db.execute("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()[0]
        return int(searches), int(events)

    def judged(
        self,
        names: tuple[str, ...],
        actions: Sequence[str],
        until: tuple[int, int],
        limit: int,
        after: int = 0,
        *,
        clicked: bool = True,
    ) -> Iterator[tuple[SearchRow, FeatureRows, list[EventRow]]]:
        """The latest searches with features of these columns and, if `clicked`, an event of these actions.

        At most `limit`, in order of time; searches and events up to `until` (searches, events), searches
        beyond the seq `after`.
        """
        with self._lock:
            of = (json.dumps(names), after, until[0], not clicked, until[1], json.dumps(actions))
            picked = self._db.execute(PICK_JUDGED, (*of, limit)).fetchall()
            events: dict[str, list[EventRow]] = {row[1]: [] for row in picked}
            for row in self._db.execute(
                PICK_EVENTS + OF_IMPRESSIONS + "AND seq <= ? ORDER BY seq",
                (json.dumps(list(events)), until[1]),
            ):
                events[row[1]].append(EventRow(*row))
        for row in reversed(picked):
            rows = FeatureRows(
                names=names,
                documents=tuple(json.loads(row[16])),
                weights=np.frombuffer(row[17], np.float32),
                features=np.frombuffer(row[18], np.float32).reshape(-1, len(names)),
            )
            yield search_row(row), rows, events[row[1]]

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db, self._columns)


class _Transaction:
    """BEGIN … COMMIT, or ROLLBACK where the block raises; then what is known of `columns` is forgotten."""

    def __init__(self, db: sqlite3.Connection, columns: dict[tuple[str, ...], int]) -> None:
        self._db = db
        self._columns = columns

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        if kind is not None:
            self._columns.clear()
