"""The log's tables, and their rows as Python sees them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 3
SCHEMA = """
CREATE TABLE IF NOT EXISTS searches (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    impression TEXT UNIQUE NOT NULL,
    time REAL NOT NULL,
    user TEXT,
    typed TEXT NOT NULL,
    text TEXT NOT NULL,
    context TEXT NOT NULL,
    imported INTEGER NOT NULL,
    policy TEXT,
    plan TEXT,
    propensity REAL,
    version INTEGER,
    candidates INTEGER,
    shown TEXT NOT NULL,
    x BLOB,
    interleaving TEXT,
    exploration TEXT
);
CREATE TABLE IF NOT EXISTS columns (id INTEGER PRIMARY KEY, names TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    seq INTEGER PRIMARY KEY REFERENCES searches (seq),
    columns INTEGER NOT NULL REFERENCES columns (id),
    documents TEXT NOT NULL,
    weights BLOB NOT NULL,
    features BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE,
    impression TEXT,
    user TEXT,
    action TEXT NOT NULL,
    document TEXT NOT NULL,
    time REAL NOT NULL,
    position INTEGER,
    weight REAL NOT NULL,
    UNIQUE (impression, action, document)
);
CREATE INDEX IF NOT EXISTS events_by_impression ON events (impression);
"""
MIGRATIONS = {
    1: "ALTER TABLE searches ADD COLUMN interleaving TEXT",
    2: "ALTER TABLE searches ADD COLUMN exploration TEXT",
}
"""What makes a log of each older format one of the next."""


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A logged search. `plan` maps generator to (depth, marginal propensity).

    `interleaving`: who drafted what of an interleaved page (see `engine.interleaving.logged`), None
    on others. The plan is then that of the state in force, without a propensity. `exploration`: how a
    page came by its order where exploration was on (see `engine.showing.explore`), else None.
    """

    seq: int
    impression: str
    time: float
    user: str | None
    typed: str
    text: str
    context: Mapping[str, Any]
    imported: bool
    policy: str | None
    plan: Mapping[str, tuple[int, float]]
    propensity: float | None
    version: int | None
    candidates: int | None
    shown: tuple[str, ...]
    interleaving: Mapping[str, Any] | None
    exploration: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """A logged event; `time` in POSIX seconds."""

    seq: int
    impression: str | None
    user: str | None
    action: str
    document: str
    time: float
    position: int | None
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRows:
    """Feature rows of one search: what was shown, then a sample of the rest.

    `weights` (n,): how many candidates each row stands for.
    """

    names: tuple[str, ...]
    documents: tuple[str, ...]
    weights: NDArray[np.float32]
    features: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """An answered search as it is logged: the fields of `SearchRow`, the bandit's context `x` (d,) and
    the features as served."""

    impression: str
    time: float
    user: str | None
    typed: str
    text: str
    context: Mapping[str, Any]
    policy: str
    plan: Mapping[str, tuple[int, float]]
    propensity: float | None
    version: int
    candidates: int
    shown: Sequence[str]
    x: NDArray[np.float64]
    rows: FeatureRows
    interleaving: Mapping[str, Any] | None = None
    exploration: Mapping[str, Any] | None = None

    def values(self) -> tuple[object, ...]:
        """What `ADD_SERVED` inserts."""
        return (
            self.impression, self.time, self.user, self.typed, self.text, json.dumps(self.context),
            self.policy, json.dumps(self.plan), self.propensity, self.version, self.candidates,
            json.dumps(list(self.shown)), self.x.astype(np.float32).tobytes(),
            None if self.interleaving is None else json.dumps(self.interleaving),
            None if self.exploration is None else json.dumps(self.exploration),
        )  # fmt: skip


ADD_SERVED = """
INSERT INTO searches (impression, time, user, typed, text, context, imported, policy, plan, propensity,
                      version, candidates, shown, x, interleaving, exploration)
VALUES (?,?,?,?,?,?,0,?,?,?,?,?,?,?,?,?)
"""
# Both start from every column of a search, in the order of `search_row`.
PICK_SEARCHES = """
SELECT seq, impression, time, user, typed, text, context, imported, policy, plan, propensity,
       version, candidates, shown, interleaving, exploration
FROM searches
"""
PICK_JUDGED = """
SELECT seq, impression, time, user, typed, text, context, imported, policy, plan, propensity,
       version, candidates, shown, interleaving, exploration, documents, weights, features
FROM searches JOIN rows USING (seq) JOIN columns c ON c.id = rows.columns
WHERE c.names = ? AND seq > ? AND seq <= ? AND (? OR EXISTS (
    SELECT 1 FROM events e WHERE e.impression = searches.impression AND e.seq <= ?
    AND e.action IN (SELECT value FROM json_each(?))))
ORDER BY time DESC, seq DESC LIMIT ?
"""
PICK_EVENTS = """
SELECT seq, impression, user, action, document, time, position, weight FROM events
"""
ON_INTERLEAVED = """
WHERE impression IN (SELECT impression FROM searches WHERE interleaving IS NOT NULL) ORDER BY seq
"""
OF_IMPRESSIONS = "WHERE impression IN (SELECT value FROM json_each(?)) "


def search_row(row: Sequence[Any]) -> SearchRow:
    """A row of `PICK_SEARCHES`."""
    plan = {k: (int(d), float(p)) for k, (d, p) in json.loads(row[9]).items()} if row[9] else {}
    return SearchRow(
        seq=row[0],
        impression=row[1],
        time=row[2],
        user=row[3],
        typed=row[4],
        text=row[5],
        context=json.loads(row[6]),
        imported=bool(row[7]),
        policy=row[8],
        plan=plan,
        propensity=row[10],
        version=row[11],
        candidates=row[12],
        shown=tuple(json.loads(row[13])),
        interleaving=json.loads(row[14]) if row[14] else None,
        exploration=json.loads(row[15]) if row[15] else None,
    )


def read_interleaved(db: sqlite3.Connection) -> tuple[list[SearchRow], list[EventRow]]:
    """Every interleaved search and the events on them, in order of the log."""
    searches = db.execute(PICK_SEARCHES + "WHERE interleaving IS NOT NULL ORDER BY seq").fetchall()
    events = db.execute(PICK_EVENTS + ON_INTERLEAVED).fetchall()
    return [search_row(row) for row in searches], [EventRow(*row) for row in events]
