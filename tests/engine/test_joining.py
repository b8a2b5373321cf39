"""Discovery reads what `personal` has learnt, and that the words of `bm25`, whatever becomes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine import Context, Document, EngineConfig, Query, SearchEngine
from engine.state import State
from retrievers.discovery import Discovery
from retrievers.personal import Personal
from tests.conftest import WordHashes, songs
from tests.engine.test_learning import listen


def joined(state: State) -> bool:
    discovery, personal = state.retrievers["discovery"], state.retrievers["personal"]
    assert isinstance(discovery, Discovery)
    assert isinstance(personal, Personal)
    reads_words = personal._by_words is state.retrievers["bm25"]
    return discovery._personal is personal and reads_words


def found(state: State, user: str, name: str) -> set[str]:
    query = Query("love", Context(user=user), "love")
    docs = state.retrievers[name].retrieve(query, 100, state.filters.mask({})).docs
    return {state.catalog.id(row) for row in docs.tolist()}


def test_it_reads_the_personal_beside_it(stored: SearchEngine, tmp_path: Path) -> None:
    assert joined(stored.state)
    before = stored.state
    for wanted in ("t3-0", "t7-0"):
        listen(stored, "love", wanted, 3, "u")
        listen(stored, "love", wanted, 3, "v")
    listen(stored, "love", "t12-0", 3, "v")
    stored.learn()
    assert joined(stored.state)
    assert joined(before)
    assert found(before, "u", "discovery") == set()
    # What u has clicked is u's own; what v clicked for the same words is new to u.
    assert found(stored.state, "u", "personal") == {"t3-0", "t7-0"}
    assert "t12-0" in found(stored.state, "u", "discovery")
    assert not found(stored.state, "u", "discovery") & {"t3-0", "t7-0"}
    stored.add([Document("new", "Love Anew")])
    assert joined(stored.state)
    stored.remove(["t12-0"])
    assert joined(stored.state)
    assert "t12-0" not in found(stored.state, "u", "discovery")
    answers = {name: found(stored.state, "u", name) for name in ("personal", "discovery")}
    stored.close()
    with SearchEngine.load(tmp_path / "index", encoder=WordHashes()) as loaded:
        assert joined(loaded.state)
        assert {name: found(loaded.state, "u", name) for name in answers} == answers
        listen(loaded, "love", "t18-0", 3, "v")
        loaded.learn()
        assert joined(loaded.state)


def test_alone_it_learns_for_itself(config: EngineConfig) -> None:
    settings = replace(config, generators=("bm25", "discovery"))
    with SearchEngine.build(songs(), config=settings) as engine:
        listen(engine, "love", "t3-0", 3, "u")
        listen(engine, "love", "t7-0", 3, "v")
        engine.learn()
        assert "t7-0" in found(engine.state, "u", "discovery")


def test_without_words_beside_it_personal_goes_by_what_people_did(config: EngineConfig) -> None:
    settings = replace(config, generators=("fuzzy", "memory", "personal"))
    with SearchEngine.build(songs(), config=settings) as engine:
        listen(engine, "love", "t3-0", 3, "u")
        engine.learn()
        assert found(engine.state, "u", "personal") == {"t3-0"}
