"""Who asks for the newest or the oldest gets it first, whatever the ranker thinks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from engine import Context, EngineConfig, SearchEngine
from engine.age_order import asking_first, in_front
from retrievers.base import Document, Hits, Query, Reading, Span
from tests.conftest import Clock, WordHashes

YEARS = {"Alpha": 1999, "Beta": 2021, "Gamma": 1985, "Delta": 2007}


def works() -> list[Document]:
    found = [Document("river", "Silver River", "", "artist", {"popularity": 90})]
    for title, year in YEARS.items():
        of = {"artist": "Silver River", "year": year, "popularity": 100 - year % 100}
        found.append(Document(title, title, "silver river", "album", of))
        found.append(Document(f"song {title}", f"{title} Song", "", "track", of))
    found += [Document(f"x{i}", f"Album {i}", "silver", "album", {"year": 2024}) for i in range(9)]
    return found


@pytest.fixture(scope="module")
def built() -> Iterator[SearchEngine]:
    config = EngineConfig(budget=30.0, clock=Clock())
    with SearchEngine.build(works(), config=config, encoder=WordHashes()) as engine:
        yield engine


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("latest silver river album", ["Beta", "Delta", "Alpha", "Gamma"]),
        ("oldest album by silver river", ["Gamma", "Alpha", "Delta", "Beta"]),
        ("newest songs by silver river", ["song Beta", "song Delta", "song Alpha", "song Gamma"]),
    ],
)
def test_by_age(built: SearchEngine, query: str, ids: list[str]) -> None:
    response = built.search(query)
    assert [hit.id for hit in response.hits][: len(ids)] == ids
    assert "structured" in response.hits[0].sources


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("songs from the 90s", {"song Alpha"}),
        ("silver river albums from the 2000s", {"Delta"}),
        ("silver river after 2000", {"Delta", "Beta", "song Delta", "song Beta"}),
    ],
)
def test_of_years(built: SearchEngine, query: str, ids: set[str]) -> None:
    assert {hit.id for hit in built.search(query).hits[: len(ids)]} == ids


def test_a_year_that_is_a_name_is_the_name() -> None:
    named = Document("named", "1999", "", "album", {"artist": "Silver River", "year": 1982})
    config = EngineConfig(budget=30.0, clock=Clock())
    with SearchEngine.build([*works(), named], config=config, encoder=WordHashes()) as engine:
        response = engine.search("1999")
        assert response.hits[0].id == "named"
        scores = [hit.score for hit in response.hits]
    assert scores == sorted(scores, reverse=True)


def test_only_sure_years_stand_first() -> None:
    nineties = Reading((Span(0, 3, "year", "1990..1999"),), 0.4)
    other = Reading((Span(0, 3, "year", "1990..1999"), Span(4, 9, "type", "track")), 0.2)
    query = Query("90s music", readings=(nineties, other))
    assert asking_first(query, named=False) == replace(query, readings=(nineties,))
    assert asking_first(query, named=True) is None
    assert asking_first(replace(query, readings=(nineties,)), named=False) is None
    assert asking_first(replace(query, readings=()), named=False) is None


def test_what_may_not_be_shown_stays_hidden(built: SearchEngine) -> None:
    context = Context(filters={"type": "track"})
    assert all(
        hit.document.type == "track"
        for hit in built.search("latest silver river album", context).hits
    )


def test_other_queries_are_as_ranked(built: SearchEngine) -> None:
    response = built.search("silver river album")
    scores = [hit.score for hit in response.hits]
    assert scores == sorted(scores, reverse=True)


def test_only_sure_readings_ask() -> None:
    newest = Reading((Span(0, 6, "order", "newest"),), 0.6)
    query = Query("latest", readings=(newest, replace(newest, probability=0.1)))
    asked = asking_first(query, named=True)
    assert asked is not None
    assert asked.readings == (newest,)
    unsure = replace(newest, probability=0.4)
    together = replace(query, readings=(unsure, replace(newest, probability=0.2)))
    assert asking_first(together, named=True) == replace(query, readings=(unsure,))
    best = Reading((Span(0, 4, "order", "popular"),), 0.9)
    for readings in ((unsure,), (best,), ()):
        assert asking_first(replace(query, readings=readings), named=True) is None


def test_a_failing_generator_costs_the_order_not_the_answer(
    built: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Hits:
        raise RuntimeError("out of years")

    monkeypatch.setattr(built.state.retrievers["structured"], "retrieve", fail)
    response = built.search("latest silver river album")
    assert response.hits
    assert any(note.startswith("structured: failed") for note in response.notes)


def test_without_ages_it_is_as_ranked() -> None:
    config = EngineConfig(budget=30.0, clock=Clock())
    ageless = [
        replace(one, metadata={k: v for k, v in one.metadata.items() if k != "year"})
        for one in works()
    ]
    with SearchEngine.build(ageless, config=config, encoder=WordHashes()) as engine:
        scores = [hit.score for hit in engine.search("latest silver river album").hits]
    assert scores == sorted(scores, reverse=True)


def test_in_front_keeps_the_order_of_the_others() -> None:
    docs = np.array([5, 6, 7, 8], np.int32)
    order = in_front(np.array([3, 1, 0, 2]), docs, np.array([7, 9, 5], np.int32))
    assert order.tolist() == [2, 0, 3, 1]
