"""An index's own log and catalogue, read while its engine may be running: no lock, nothing loaded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.catalog import Catalog
from engine.config import EngineConfig
from engine.errors import SnapshotError
from engine.folder import LOG
from engine.log_rows import FORMAT, PICK_SEARCHES, search_row
from engine.response import Event, LoggedSearch
from engine.snapshots import CURRENT, MANIFEST

DERIVED = frozenset({"user", "time", "attributes"})
"""Parts of a context that have a place of their own in UBI."""


@dataclass(frozen=True, slots=True)
class EngineLog:
    """The folder of an index; rows come in order of time, as a stream."""

    folder: Path

    def __post_init__(self) -> None:
        if not (self.folder / CURRENT).is_file() or not (self.folder / LOG).is_file():
            raise SnapshotError(f"{self.folder}: holds no index; make one with `ltrr index`")

    @property
    def _snapshot(self) -> Path:
        number = (self.folder / CURRENT).read_text(encoding="utf-8").strip()
        return self.folder / "snapshots" / number

    def catalog(self) -> Catalog:
        """The documents of the snapshot in force."""
        return Catalog.load(self._snapshot / "catalog")

    def config(self) -> EngineConfig:
        """The settings of the snapshot in force."""
        manifest = json.loads((self._snapshot / MANIFEST).read_text(encoding="utf-8"))
        return EngineConfig.from_json(manifest["config"])

    def connect(self) -> closing[sqlite3.Connection]:
        """A connection that can't write, closed at the end of a `with`."""
        path = self.folder / LOG
        try:
            db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            version = db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as e:
            raise SnapshotError(f"{path}: not a readable log ({e})") from e
        if version != FORMAT:
            db.close()
            raise SnapshotError(
                f"{path}: log format {version}, this version of ltrr reads {FORMAT}"
            )
        return closing(db)

    def searches(self) -> Iterator[LoggedSearch]:
        """Every search; its `attributes` hold the policy that chose its plan, and its context.

        `policy`: {"id", "version", "depths", "propensity", "marginals"}, depths and marginals by
        generator, missing for what was imported without one. `context`: filters, turns and
        locale. `rewritten`: the text searched for, where it was not the one typed.
        """
        with self.connect() as db:
            for found in db.execute(PICK_SEARCHES + "ORDER BY time, seq"):
                row = search_row(found)
                attributes = dict(row.context.get("attributes", {}))
                rest = {key: row.context[key] for key in row.context if key not in DERIVED}
                if rest:
                    attributes["context"] = rest
                if row.text != row.typed:
                    attributes["rewritten"] = row.text
                if row.policy is not None:
                    attributes["policy"] = {
                        "id": row.policy,
                        "version": row.version,
                        "depths": {name: depth for name, (depth, _) in row.plan.items()},
                        "propensity": row.propensity,
                        "marginals": {name: chance for name, (_, chance) in row.plan.items()},
                    }
                yield LoggedSearch(
                    id=row.impression,
                    query=row.typed,
                    time=datetime.fromtimestamp(row.time, UTC),
                    user=row.user,
                    shown=row.shown,
                    attributes=attributes,
                )

    def events(self) -> Iterator[Event]:
        """Every event, history included."""
        with self.connect() as db:
            for id, search, user, action, document, time, position, weight in db.execute(
                "SELECT id, impression, user, action, document, time, position, weight "
                "FROM events ORDER BY time, seq"
            ):
                yield Event(
                    action=action,
                    document=document,
                    time=datetime.fromtimestamp(time, UTC),
                    position=position,
                    weight=weight,
                    id=id,
                    user=user,
                    search=search,
                )

    def counts(self) -> Mapping[str, int]:
        """How many `searches` and `events` there are."""
        with self.connect() as db:
            return {
                "searches": db.execute("SELECT COUNT(*) FROM searches").fetchone()[0],
                "events": db.execute("SELECT COUNT(*) FROM events").fetchone()[0],
            }
