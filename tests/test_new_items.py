"""A new track is found by its name at once, and by its mood when it has been heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.listeners import Crowd
from demo.new_items import HEARERS, NEW, ROUNDS, NewItem, add_and_hear, told
from engine import Document, EngineConfig, SearchEngine
from tests.conftest import WordHashes, songs


def calm_songs() -> list[Document]:
    """Songs of one mood, so many that a new one among them is not on the first page by itself."""
    return [
        replace(d, metadata={**d.metadata, "mood": ["calm"]}) if d.type == "track" else d
        for d in songs()
    ]


@pytest.fixture(scope="module")
def new() -> NewItem:
    config = EngineConfig(seed=0, budget=30.0, ranker_options={"n_estimators": 20, "n_jobs": 1})
    documents = calm_songs()
    with SearchEngine.build(documents, config=config, encoder=WordHashes()) as engine:
        crowd = Crowd(documents, seed=0, listeners=10)
        started = crowd.now
        found = add_and_hear(engine, crowd)
        assert crowd.now > started
        assert len(engine) == len(documents) + 1
    return found


def test_it_is_found_by_its_name_at_once(new: NewItem) -> None:
    assert 1 <= new.by_name <= 10
    assert 0 < new.adding_ms < new.found_ms


def test_it_is_found_by_its_mood_when_it_was_heard(new: NewItem) -> None:
    assert new.unheard == 0
    assert 1 <= new.heard <= HEARERS * ROUNDS
    assert new.learning_ms > 0
    assert 1 <= new.of_mood <= 10


def test_it_is_told(new: NewItem) -> None:
    first, second = told(replace(new, adding_ms=3.2, found_ms=8.4, by_name=1, of_mood=0))
    assert "added in 3 ms" in first
    assert "8 ms after" in first
    assert first.endswith("showed it at place 1.")
    assert "“calm” showed it nowhere" in second
    assert second.endswith("nowhere on the first page.")
    assert NEW.title in first
