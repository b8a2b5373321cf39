"""What takes long runs beside searches, additions and removals, and loses none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Document, SearchEngine
from engine import in_force as in_force_module
from tests.conftest import Clock, WordHashes, songs
from tests.engine.test_live import (
    built,
    configured,
    found,
    loaded,
    numbered,
)
from tests.engine.test_snapshots import answers, teach


def paused(monkeypatch: pytest.MonkeyPatch, name: str, meanwhile: Callable[[], None]) -> list[bool]:
    """Have something done while `name` of `engine.in_force` is at work."""
    original, done = getattr(in_force_module, name), list[bool]()

    def slowly(*given: Any, **options: Any) -> Any:
        result = original(*given, **options)
        if not done:
            done.append(True)
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join(60)
            assert not thread.is_alive()
        return result

    monkeypatch.setattr(in_force_module, name, slowly)
    return done


@pytest.mark.parametrize("name", ["merged", "write_snapshot", "mapped_state"])
def test_what_changes_during_a_merge_is_not_lost(
    stored: SearchEngine,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    extra = [Document(f"n{n}", f"Quetzalcoatl {n}") for n in range(4)]
    stored.add(extra[:2])
    stored.remove(["t0-0"])

    def meanwhile() -> None:
        stored.add(extra[2:])
        stored.remove(["n0", "t1-0"])
        assert stored.search("quetzalcoatl").hits[0].id in {"n1", "n2", "n3"}

    done = paused(monkeypatch, name, meanwhile)
    stored.merge()
    assert done
    for engine in (stored, None):
        with engine or SearchEngine.load(
            tmp_path / "index", encoder=WordHashes(), clock=clock
        ) as each:
            ids = {hit.id for hit in each.search("quetzalcoatl", k=20).hits if hit.id[0] == "n"}
            assert ids == {"n1", "n2", "n3"}
            assert each.document("t1-0") is None
            assert each.document("t0-0") is None
            assert len(each) == len(songs()) + 1


def test_documents_come_and_go_while_it_learns(
    stored: SearchEngine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(stored, clock)
    paused(monkeypatch, "write_snapshot", lambda: stored.add([Document("n", "Quetzalcoatl")]))
    stored.learn()
    assert stored.state.version == 1
    before = answers(stored)
    assert stored.search("quetzalcoatl").hits[0].id == "n"
    stored.close()
    with SearchEngine.load(tmp_path / "index", encoder=WordHashes(), clock=clock) as engine:
        assert engine.search("quetzalcoatl").hits[0].id == "n"
        assert answers(engine) == before


def test_a_crash_before_a_merge_takes_over_loses_nothing(
    stored: SearchEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.add([Document("n", "Quetzalcoatl")])
    before = found(stored.state)

    def crash(*given: object) -> None:
        raise OSError("no space left on device")

    for name in ("write_snapshot", "put_in_force"):
        monkeypatch.setattr(in_force_module, name, crash)
        with pytest.raises(OSError, match="no space"):
            stored.merge()
        monkeypatch.undo()
        assert found(stored.state) == before
    stored.add([Document("m", "Quetzalcoatl Again")])
    before = found(stored.state)
    stored.close()
    with SearchEngine.load(tmp_path / "index", encoder=WordHashes()) as engine:
        assert found(engine.state) == before


def test_a_bad_document_changes_nothing(stored: SearchEngine, tmp_path: Path) -> None:
    before = found(stored.state)
    for bad in (Document("t1-0", "Again"), Document("ok", "Fine", metadata={"at": object()})):
        with pytest.raises(ValueError, match=r"duplicate id|JSON"):
            stored.add([Document("first", "First"), bad])
    assert found(stored.state) == before
    assert not (tmp_path / "index" / "snapshots" / "1" / "changes").exists()


def test_merges_run_in_the_background_when_much_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_force_module, "MERGE", 50)
    config, everything = configured(), numbered(600)
    with built(everything[:200], config, tmp_path / "live") as engine:
        for start in range(200, 600, 25):
            engine.add(everything[start : start + 25])
            assert engine.search(everything[start].title).hits
            upkeep = engine._in_force._upkeep
            if upkeep is not None:
                upkeep.join()
        assert len(engine) == 600
        assert engine.state.catalog.changes <= 50
        live = found(engine.state)
    assert max(int(p.name) for p in (tmp_path / "live" / "snapshots").iterdir()) > 3
    with loaded(tmp_path / "live", config) as engine:
        assert found(engine.state) == live
