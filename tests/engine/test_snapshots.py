"""Saving, killing, loading: nothing is lost, nothing is half."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine import Context, EngineConfig, LockedError, SearchEngine, SnapshotError
from engine import snapshots as snapshots_module
from tests.conftest import Clock, WordHashes, songs
from tests.engine.test_learning import listen
from tests.engine.test_search import answer_of

QUERIES = ("love", "silver river", "artista0", "jazz", "", "night train 7")


def answers(engine: SearchEngine) -> list[object]:
    found: list[object] = []
    for query in QUERIES:
        for user in (None, "u"):
            response = engine.search(query, Context(user=user), k=20)
            found.append((answer_of(response), dict(response.plan), response.propensity))
    return found


def teach(engine: SearchEngine, clock: Clock) -> None:
    for round_ in range(3):
        for a in range(15):
            listen(engine, f"night train {a}", f"t{a}-2", 1, f"u{round_}")
        clock.now += 86_400.0


def test_restart_in_the_middle_of_learning(
    config: EngineConfig, clock: Clock, tmp_path: Path
) -> None:
    """Learn, record more, then: one engine goes on, the other is saved, closed and loaded."""
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        teach(engine, clock)
        engine.learn()
        teach(engine, clock)
        engine.save(tmp_path / "copy")
        engine.learn()
        straight = answers(engine)
    with SearchEngine.load(tmp_path / "copy", encoder=WordHashes(), clock=clock) as engine:
        engine.learn()
        assert answers(engine) == straight


def test_an_old_snapshot_loses_no_event(stored: SearchEngine, clock: Clock, tmp_path: Path) -> None:
    teach(stored, clock)
    last = stored.log.last()
    stored.close()
    with SearchEngine.load(tmp_path / "index", encoder=WordHashes(), clock=clock) as engine:
        assert engine.state.learnt == (0, 0)
        assert engine.log.last() == last
        assert engine.learn().events == last[1]


def test_a_crash_while_saving_leaves_the_old_snapshot(
    stored: SearchEngine, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(stored, clock)
    stored.learn()
    before = answers(stored)
    teach(stored, clock)

    def crash(folder: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(snapshots_module, "_sync", crash)
    with pytest.raises(OSError, match="no space"):
        stored.learn()
    monkeypatch.undo()
    assert answers(stored) == before
    stored.close()
    with SearchEngine.load(tmp_path / "index", encoder=WordHashes(), clock=clock) as engine:
        assert answers(engine) == before
        engine.learn()


@pytest.mark.parametrize(
    "kind", ["catalog/documents.jsonl", "policy", "retrievers/bm25", "manifest.json"]
)
def test_a_damaged_snapshot_is_refused_with_the_file_named(
    stored: SearchEngine, tmp_path: Path, kind: str
) -> None:
    stored.close()
    number = (tmp_path / "index" / "CURRENT").read_text()
    here = tmp_path / "index" / "snapshots" / number / kind
    path = here if here.is_file() else min(p for p in here.rglob("*") if p.is_file())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(SnapshotError, match=path.name):
        SearchEngine.load(tmp_path / "index", encoder=WordHashes())


def test_a_missing_file_is_named(stored: SearchEngine, tmp_path: Path) -> None:
    stored.close()
    number = (tmp_path / "index" / "CURRENT").read_text()
    (tmp_path / "index" / "snapshots" / number / "catalog" / "documents.jsonl").unlink()
    with pytest.raises(SnapshotError, match=r"documents\.jsonl: missing"):
        SearchEngine.load(tmp_path / "index", encoder=WordHashes())


def test_another_format_version_is_refused(stored: SearchEngine, tmp_path: Path) -> None:
    stored.close()
    number = (tmp_path / "index" / "CURRENT").read_text()
    path = tmp_path / "index" / "snapshots" / number / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(SnapshotError, match=r"manifest\.json: snapshot format 99"):
        SearchEngine.load(tmp_path / "index", encoder=WordHashes())


def test_no_index_there(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="no such folder"):
        SearchEngine.load(tmp_path / "nothing")
    with pytest.raises(SnapshotError, match="holds no index"):
        SearchEngine.load(tmp_path)


def test_one_writer_per_folder(stored: SearchEngine, tmp_path: Path) -> None:
    with pytest.raises(LockedError, match="in use by another process"):
        SearchEngine.load(tmp_path / "index", encoder=WordHashes())
    stored.close()
    SearchEngine.load(tmp_path / "index", encoder=WordHashes()).close()


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from engine import EngineConfig, SearchEngine
from tests.conftest import songs
config = EngineConfig(generators=("bm25", "memory", "popular"))
engine = SearchEngine.build(songs(), folder=Path(sys.argv[1]), config=config)
while True:
    response = engine.search("love")
    engine.feedback(response.impression_id, clicks=[response.hits[0].id])
    print(response.impression_id, flush=True)
"""


def test_what_has_returned_survives_kill_9(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "index"), str(root)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    said += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    with SearchEngine.load(tmp_path / "index") as engine:
        clicked = {event.impression for event in engine.log.events(0, 10**9)}
        assert set(said) <= clicked
        assert all(engine.log.has_search(impression) for impression in said)
        assert engine.learn().events == len(clicked)


def test_searches_go_on_while_learn_swaps(stored: SearchEngine, clock: Clock) -> None:
    teach(stored, clock)
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                for query in QUERIES:
                    stored.search(query, Context(user="u"))
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        stored.learn()
    stored.add([type(songs()[0])("extra", "Extra Song", "", "track", {})])
    stored.remove(["extra"])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stored.state.version == 2
