"""Searches that are credited with what was clicked in the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import Context, EngineConfig, Event, SearchEngine
from engine.chains import CREDIT, WITHIN, chained
from engine.chunks import Searched, chunks
from tests.conftest import Clock, WordHashes, songs

REWARDS = {"click": 1.0, "skip": -0.5}


@pytest.fixture
def logged(engine: SearchEngine, clock: Clock) -> list[Searched]:
    """Three searches by one person ten seconds apart, one by another between them; the last is clicked."""
    for query, user in (("lvoe", "u"), ("jazz", "w"), ("love", "u"), ("love love", "u")):
        response = engine.search(query, Context(user=user))
        clock.now += 10.0
    engine.feedback(
        response.impression_id,
        events=[Event("click", response.hits[0].id), Event("skip", response.hits[1].id)],
    )
    (chunk,) = chunks(engine.log, (0, 0), engine.log.last(), "month")
    return chunk.searches


def test_a_click_is_credited_to_the_search_before_it(logged: list[Searched]) -> None:
    first, other, second, third = chained(logged, REWARDS)
    assert [one.borrowed for one in (first, other, third)] == [[], [], []]
    (event,) = second.borrowed
    clicked = third.events[0].document
    assert (event.document, event.weight, event.position) == (clicked, CREDIT, None)
    assert second.events == []
    assert third.events == logged[3].events


@pytest.mark.parametrize("what", ["a click of its own", "long before", "at once", "late", "nobody"])
def test_what_is_no_second_try_is_not_credited(logged: list[Searched], what: str) -> None:
    before, after = logged[2], logged[3]
    if what == "a click of its own":
        before = replace(before, events=after.events[:1])
    elif what == "late":
        before = replace(before, late=True)
    elif what == "nobody":
        before = replace(before, search=replace(before.search, user=None))
    else:
        time = after.search.time - (WITHIN + 1.0 if what == "long before" else 0.0)
        before = replace(before, search=replace(before.search, time=time))
    assert chained([before, after], REWARDS) == [before, after]


def test_memory_and_policy_learn_from_a_second_try(clock: Clock) -> None:
    config = EngineConfig(budget=30.0, clock=clock)
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        before = engine.state
        for _ in range(3):
            engine.search("qwzx", Context(user="u"))
            clock.now += 20.0
            response = engine.search("Night Train ArtistD3", Context(user="u"))
            engine.feedback(response.impression_id, clicks=["t3-2"])
            clock.now += 3600.0
        report = engine.learn()
        assert (report.searches, report.events) == (6, 3)
        assert [hit.id for hit in engine.search("qwzx").hits][:1] == ["t3-2"]
        found = engine.state.statistics.queries.smoothed("qwzx", np.zeros((8, 8)))
        assert found.max() > 0.0
        assert before.statistics.queries.counts("qwzx") == (0.0, 0.0)
