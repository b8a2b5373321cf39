"""A log of an older format is brought up to date, one of a newer refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from benchmarks.engine_log import EngineLog
from engine import SearchEngine, SnapshotError
from engine import log as log_module
from engine.log_rows import MIGRATIONS
from tests.plan_world import SERVED


def as_format_one(folder: Path) -> None:
    with sqlite3.connect(folder / "log.sqlite") as db:
        db.execute("ALTER TABLE searches DROP COLUMN interleaving")
        db.execute("ALTER TABLE searches DROP COLUMN exploration")
        db.execute("PRAGMA user_version=1")
    db.close()


def columns(folder: Path) -> tuple[int, bool]:
    """Format of the log, and whether it has the column."""
    db = sqlite3.connect(folder / "log.sqlite")
    names = [row[1] for row in db.execute("PRAGMA table_info(searches)")]
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    db.close()
    return version, {"interleaving", "exploration"} <= set(names)


def test_an_older_log_is_brought_up_to_date_when_it_is_opened(folder: Path) -> None:
    as_format_one(folder)
    with pytest.raises(SnapshotError, match=r"log format 1, .* reads 3; open the index once"):
        EngineLog(folder)
    with SearchEngine.load(folder) as engine:
        assert columns(folder) == (3, True)
        rows = engine.log.searches(0, engine.log.last()[0])
        assert len(rows) == SERVED
        assert all(row.interleaving is None and row.propensity is not None for row in rows)
        engine.interleave()
        assert engine.search("love").challenger == 2
    with EngineLog(folder) as log:
        assert log.interleaved()[0].credit.impressions == 1


def test_a_crash_while_it_is_brought_up_to_date_leaves_it_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_format_one(folder)
    monkeypatch.setattr(log_module, "FORMAT", 4)
    monkeypatch.setattr(log_module, "MIGRATIONS", {**MIGRATIONS, 3: "ALTER TABLE nobody ADD x"})
    with pytest.raises(SnapshotError, match="not a readable log"):
        SearchEngine.load(folder)
    assert columns(folder) == (1, False)
    monkeypatch.undo()
    with SearchEngine.load(folder):
        assert columns(folder) == (3, True)


def test_a_newer_log_is_refused(folder: Path) -> None:
    with sqlite3.connect(folder / "log.sqlite") as db:
        db.execute("PRAGMA user_version=4")
    db.close()
    says = "log format 4, this version of ltrr reads 3; use the version that wrote it"
    with pytest.raises(SnapshotError, match=says):
        SearchEngine.load(folder)
    with pytest.raises(SnapshotError, match=says):
        EngineLog(folder)
