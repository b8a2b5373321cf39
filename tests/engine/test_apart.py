"""Learning in a process of its own: the same as here, and nothing is lost meanwhile."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from engine import BadInput, Document, EngineConfig, LtrrError, SearchEngine
from engine.apart import Apart
from engine.snapshots import in_force
from tests.conftest import songs

QUERIES = ("love", "silver river", "night train", "ArtistC2")


def searched(engine: SearchEngine) -> None:
    """Somebody wants the last of what is shown."""
    for query in QUERIES:
        found = engine.search(query)
        engine.feedback(found.impression_id, clicks=[found.hits[-1].id])


def pages(engine: SearchEngine) -> list[list[tuple[str, float]]]:
    return [[(hit.id, hit.score) for hit in engine.preview(q).hits] for q in QUERIES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Without a model, so that the process starts soon."""
    config = EngineConfig(budget=20.0, generators=("bm25", "fuzzy", "memory"))
    with SearchEngine.build(songs(), folder=tmp_path / "index", config=config) as engine:
        searched(engine)
    return tmp_path / "index"


def test_it_learns_the_same_apart(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    with SearchEngine.load(folder) as engine, SearchEngine.load(copy) as other:
        before = pages(engine)
        report, expected = engine.learn(apart=True), other.learn()
        assert (report.events, report.verdict) == (expected.events, expected.verdict)
        assert engine.state.version == other.state.version == 1
        assert pages(engine) == pages(other) != before
    with SearchEngine.load(folder) as engine:
        assert pages(engine) != before
        assert engine.learn().searches == 0


def test_what_comes_meanwhile_is_kept(folder: Path) -> None:
    with SearchEngine.load(folder) as engine:
        engine.add([Document("early", "Zanzibar Dawn")])
        learning = threading.Thread(target=engine.learn, kwargs={"apart": True})
        learning.start()
        engine.add([Document("late", "Zanzibar Dusk")])
        engine.remove(["early"])
        searched(engine)
        learning.join()
        assert engine.state.version == 1
        assert [hit.id for hit in engine.search("zanzibar", k=1).hits] == ["late"]
    with SearchEngine.load(folder) as engine:
        assert [hit.id for hit in engine.search("zanzibar", k=1).hits] == ["late"]
        assert engine.document("early") is None


def test_closing_ends_it(folder: Path) -> None:
    problems: list[BaseException] = []

    def learn(engine: SearchEngine) -> None:
        try:
            engine.learn(apart=True)
        except LtrrError as e:
            problems.append(e)

    engine = SearchEngine.load(folder)
    learning = threading.Thread(target=learn, args=(engine,))
    learning.start()
    while engine._apart._child is None:
        learning.join(timeout=0.01)
    engine.close()
    learning.join()
    assert "failed" in str(problems[0])
    assert in_force(folder) == 1
    with SearchEngine.load(folder) as again:
        assert again.state.version == 0


def test_what_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(LtrrError, match="no index"):
        Apart().learn(tmp_path, "00")


def test_it_takes_a_folder(engine: SearchEngine) -> None:
    with pytest.raises(BadInput, match="apart=True"):
        engine.learn(apart=True)


def test_a_preview_is_the_answer_and_leaves_no_trace(engine: SearchEngine) -> None:
    preview = engine.preview("love", explain=True)
    assert engine.log.last() == (0, 0)
    assert preview.impression_id == ""
    answer = engine.search("love", explain=True)
    assert answer.hits == preview.hits
    assert answer.plan == preview.plan


def test_an_impression_may_be_named(engine: SearchEngine) -> None:
    name = "b1e7b6a2-1111-4222-8333-444455556666"
    assert engine.search("love", impression_id=name).impression_id == name
    with pytest.raises(BadInput, match="in the log already"):
        engine.search("love", impression_id=name)
    for bad in ("short", "with spaces in it, but long", "x" * 200):
        with pytest.raises(BadInput, match="16 to 128"):
            engine.search("love", impression_id=bad)
