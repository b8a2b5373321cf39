"""No one speaks for all: repeats, robots, money and doubled events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engine import EngineConfig, Event, LoggedSearch, SearchEngine
from engine.influence import FREE, MOST, OFTEN, REPEATS, ZEAL, bounded, weights_of
from engine.ranking_features import column_names
from engine.training import clicked_impressions
from retrievers.base import Outcome, Query
from retrievers.memory import Memory
from retrievers.popular import Popular
from tests.conftest import START, WordHashes, songs

LOVE = Query("love")
MAY = datetime(2024, 5, 1, tzinfo=UTC)


def click(
    user: str | None, doc: int = 0, weight: float = 1.0, query: Query | None = LOVE
) -> Outcome:
    return Outcome(query, doc, "click", weight, user, START)


def total(outcomes: list[Outcome]) -> float:
    return sum(outcome.weight for outcome in outcomes)


def test_one_user_clicking_one_item_a_thousand_times_counts_a_few() -> None:
    others = [click(f"u{i}", 1) for i in range(8)]
    kept = bounded([*[click("fan")] * 1000, *others], {})
    assert total([o for o in kept if o.doc == 0]) == REPEATS
    assert [o for o in kept if o.doc == 1] == others
    built = memory_of(kept)
    assert built.retrieve(LOVE, 2).docs.tolist() == [1, 0]
    assert memory_of([*[click("fan")] * 1000, *others]).retrieve(LOVE, 1).docs.tolist() == [0]


def memory_of(outcomes: list[Outcome]) -> Memory:
    built = Memory()
    built.add(np.arange(2, dtype=np.int32), [replace(d, title="x") for d in songs()[:2]])
    built.observe(outcomes)
    return built


def test_skips_are_bounded_as_clicks_are() -> None:
    kept = bounded([*[click("rival", weight=-0.5)] * 1000, click("rival")], {})
    assert total(kept) == pytest.approx(-0.5 * REPEATS + 1)


def test_a_robot_that_clicks_everything_has_the_say_of_ten_people() -> None:
    robot = [click("robot", doc) for doc in range(5000)]
    people = [click(f"u{i}", j) for i in range(50) for j in range(30)]
    kept = bounded([*robot, *people], {})
    assert total([o for o in kept if o.user == "robot"]) == pytest.approx(ZEAL * 30)
    assert total([o for o in kept if o.user != "robot"]) == len(people)
    assert total(bounded(robot[: FREE // 2], {})) == FREE // 2


def test_an_item_boosted_by_its_owner_stays_below_what_people_want() -> None:
    """By weight, and by clicks outside searches."""
    boosts = [click("owner", 0, 1e9), *[click("owner", 0, query=None)] * 500]
    people = [click(f"u{i}", 1) for i in range(60)]
    kept = bounded([*boosts, *people], {})
    assert max(o.weight for o in kept) <= MOST
    popular = Popular()
    popular.add(np.arange(2, dtype=np.int32), songs()[:2])
    popular.observe(kept)
    assert popular.retrieve(Query(""), 1).docs.tolist() == [1]


def test_deeds_learnt_before_count() -> None:
    before = {("fan", 0, True): REPEATS - 1}
    assert total(bounded([click("fan")] * 3, before)) == 1
    assert total(bounded([click(None)] * 30, before)) == 30


def test_equal_and_empty_input_stays() -> None:
    several = [click(f"u{i}", i % 7) for i in range(40)]
    assert bounded(several, {}) == several
    assert bounded([], {}) == []


def test_impressions_of_one_person_weigh_less_when_a_ranker_is_trained() -> None:
    users = [*["fan"] * 100, "other", None]
    liked = [*[["d"]] * 100, ["d", "e"], ["d"]]
    weights = weights_of(users, liked)
    np.testing.assert_allclose(weights, [*[OFTEN / 100] * 100, 1, 1])


def test_learning_often_is_no_way_around(config: EngineConfig) -> None:
    """The engine, whole: a fan's sixty clicks of a month, taken in at once or in six parts."""
    scores = []
    for parts in (1, 6):
        with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
            for part in range(parts):
                numbers = range(part * 60 // parts, (part + 1) * 60 // parts)
                times = {i: MAY + timedelta(minutes=i) for i in numbers}
                engine.record(
                    [LoggedSearch(f"s{i}", "love", time, "fan") for i, time in times.items()],
                    [
                        Event("click", "t3-0", t, search=f"s{i}", user="fan")
                        for i, t in times.items()
                    ],
                )
                engine.learn()
            memory = engine.state.retrievers["memory"]
            assert isinstance(memory, Memory)
            columns = memory.describe(LOVE, np.array([engine.state.catalog.row("t3-0")], np.int32))
            scores.append(float(columns[0, memory.feature_names.index("item_clicks")]))
    assert scores == pytest.approx([np.log1p(REPEATS)] * 2, rel=0.01)


def test_a_doubled_event_counts_once_wherever_it_comes_from(config: EngineConfig) -> None:
    searches = [LoggedSearch(f"s{i}", "love", MAY + timedelta(minutes=i)) for i in range(3)]
    events = [Event("click", "t3-0", s.time, search=s.id, user="u") for s in searches]
    outside = [Event("play", "t5-1", MAY, id="one", user="u")]
    told = []
    for doubled in (1, 4):
        with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
            for _ in range(doubled):
                engine.record(searches, [*events, *outside] * doubled)
            engine.learn()
            memory = engine.state.retrievers["memory"]
            told.append([memory.retrieve(LOVE, 5).scores.tolist(), engine.log.last()])
            names = column_names(engine.state.retrievers)
            judged = clicked_impressions(
                engine.log, config, names, engine.log.last(), engine.state.surfaces
            )
            told[-1].append([judged.queries, float(judged.labels.sum())])
    assert told[0] == told[1]
