"""An index's own log and catalogue, read while its engine may be running: no lock, nothing loaded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from engine.catalog import Catalog
from engine.config import EngineConfig
from engine.errors import SnapshotError
from engine.folder import LOG
from engine.interleaved import Interleaved, outcomes
from engine.log_rows import FORMAT, PICK_SEARCHES, SearchRow, read_interleaved, search_row
from engine.response import Event, LoggedSearch
from engine.snapshots import CURRENT, MANIFEST, read_catalog

ELSEWHERE = frozenset({"user", "time", "attributes"})
"""Parts of a context that have a place of their own in UBI."""


class EngineLog:
    """The log of an index at the moment it is opened; rows come in order of time, as a stream.

    What is recorded afterwards is not seen, so that no event comes without its search.
    `search_count` and `event_count`: how many rows there are. SnapshotError where there is no
    index or its log cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOG
        if not (folder / CURRENT).is_file() or not path.is_file():
            raise SnapshotError(f"{folder}: holds no index; make one with `ltrr index`")
        self.folder = folder
        self.db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
        try:
            self._begin(path)
        except sqlite3.DatabaseError as e:
            self.close()
            raise SnapshotError(f"{path}: not a readable log ({e})") from e
        except BaseException:
            self.close()
            raise

    def _begin(self, path: Path) -> None:
        """Start a transaction: from its first read on it sees one state of the log."""
        self.db.execute("BEGIN")
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version != FORMAT:
            cure = (
                "open the index once with this version, as `ltrr search` does, to bring it up to date"
                if version < FORMAT
                else "use the version that wrote it, or a later one"
            )
            raise SnapshotError(
                f"{path}: log format {version}, this version of ltrr reads {FORMAT}; {cure}"
            )
        self.search_count = int(self.db.execute("SELECT COUNT(*) FROM searches").fetchone()[0])
        self.event_count = int(self.db.execute("SELECT COUNT(*) FROM events").fetchone()[0])

    @property
    def _snapshot(self) -> Path:
        number = (self.folder / CURRENT).read_text(encoding="utf-8").strip()
        return self.folder / "snapshots" / number

    def catalog(self) -> Catalog:
        """The documents of the snapshot in force."""
        return read_catalog(self._snapshot)

    def config(self) -> EngineConfig:
        """The settings of the snapshot in force."""
        manifest = json.loads((self._snapshot / MANIFEST).read_text(encoding="utf-8"))
        return EngineConfig.from_json(manifest["config"])

    def searches(self) -> Iterator[LoggedSearch]:
        """Every search; its `attributes` hold the policy that chose its plan, and its context.

        `policy`: {"id", "version", "depths", "propensity", "marginals"}, depths and marginals by
        generator; missing for what was imported without one. `context`: filters, turns and
        locale. `rewritten`: the text searched for, where it was not the one typed. `interleaving`: who
        drafted what of an interleaved page, as of `engine.interleaving.logged`; there is no `policy`
        then, since no one plan made the page and it has no propensity. `exploration`: as of
        `engine.showing.explore`, of pages whose order was.
        """
        for found in self.db.execute(PICK_SEARCHES + "ORDER BY time, seq"):
            yield _search(search_row(found))

    def events(self) -> Iterator[Event]:
        """Every event, history included."""
        for id, search, user, action, document, time, position, weight in self.db.execute(
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

    def interleaved(self) -> tuple[Interleaved, ...]:
        """As `SearchEngine.interleaved`."""
        return outcomes(*read_interleaved(self.db), self.config().rewards)

    def close(self) -> None:
        """Let go of the log."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _search(row: SearchRow) -> LoggedSearch:
    attributes = dict(row.context.get("attributes", {}))
    context = {key: row.context[key] for key in row.context if key not in ELSEWHERE}
    if context:
        attributes["context"] = context
    if row.text != row.typed:
        attributes["rewritten"] = row.text
    if row.policy is not None and row.interleaving is None:
        attributes["policy"] = {
            "id": row.policy,
            "version": row.version,
            "depths": {name: depth for name, (depth, _) in row.plan.items()},
            "propensity": row.propensity,
            "marginals": {name: chance for name, (_, chance) in row.plan.items()},
        }
    if row.interleaving is not None:
        attributes["interleaving"] = dict(row.interleaving)
    if row.exploration is not None:
        attributes["exploration"] = dict(row.exploration)
    return LoggedSearch(
        id=row.impression,
        query=row.typed,
        time=datetime.fromtimestamp(row.time, UTC),
        user=row.user,
        shown=row.shown,
        attributes=attributes,
    )
