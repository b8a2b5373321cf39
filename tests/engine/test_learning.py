"""What learn changes, and what it must not see."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from engine import Context, EngineConfig, Event, LoggedSearch, SearchEngine, parts
from engine.gathering import drawn_of
from engine.hindsight import clicked_ranks, distinct, rung_rewards, shared_rewards
from engine.learning import learn
from rankers.lambdamart import LambdaMART
from retrievers.base import Hits, Outcome
from retrievers.memory import Memory
from tests.conftest import Clock, WordHashes, songs

MAY = datetime(2024, 5, 1, tzinfo=UTC)


def listen(
    engine: SearchEngine, query: str, wanted: str, times: int, user: str | None = None
) -> None:
    """Search and click the wanted item where it is shown."""
    for _ in range(times):
        response = engine.search(query, Context(user=user), k=50)
        if wanted in [hit.id for hit in response.hits]:
            engine.feedback(response.impression_id, clicks=[wanted])


def test_a_clicked_item_rises(engine: SearchEngine) -> None:
    before = [hit.id for hit in engine.search("love", k=30).hits]
    wanted = before[9]
    listen(engine, "love", wanted, 40)
    report = engine.learn()
    # Another round, so that the ranker has seen where memory puts it.
    listen(engine, "love", wanted, 40)
    engine.learn()
    after = engine.search("love", k=30)
    assert after.hits[0].id == wanted
    assert after.hits[0].sources["memory"].rank == 1
    assert report.searches == 41
    assert report.events == 40


@pytest.mark.parametrize("times", [1, 3, 10])
def test_a_few_clicks_are_enough_for_the_page(engine: SearchEngine, times: int) -> None:
    """Long before there is a ranker, what was chosen after a query comes first for it."""
    query = "that song about the train"
    wanted = engine.search(query).hits[-1].id
    listen(engine, query, wanted, times)
    report = engine.learn()
    found = engine.search(query)
    assert report.ranker == "rrf"
    assert found.hits[0].id == wanted
    # So few searches tell the price as well.
    assert found.candidates <= engine.config.budget


def test_search_and_feedback_learn_nothing(engine: SearchEngine) -> None:
    state = engine.state
    first = engine.search("love")
    engine.feedback(first.impression_id, clicks=[first.hits[5].id])
    assert engine.state is state
    assert [h.id for h in engine.search("love").hits] == [h.id for h in first.hits]


def test_the_given_state_answers_as_before_after_a_learn(engine: SearchEngine) -> None:
    listen(engine, "love", engine.search("love").hits[4].id, 5, "u")
    before = engine.state
    new, _ = learn(before, engine.log, engine.config)
    assert new is not before
    assert new.version == before.version + 1
    assert before.statistics.queries.counts("love") == (0.0, 0.0)
    assert new.statistics.queries.counts("love")[1] == 5.0


def test_threads_change_nothing_that_is_learnt(engine: SearchEngine) -> None:
    for query in ("love", "blue", "night song", "love"):
        hits = engine.search(query, k=30).hits
        listen(engine, query, hits[min(9, len(hits) - 1)].id, 12, "u")
    (one, told), (two, again) = (
        learn(engine.state, engine.log, engine.config, threads=threads) for threads in (1, 3)
    )
    assert replace(told, seconds=0.0) == replace(again, seconds=0.0)
    assert one.price == two.price
    assert isinstance(one.ranker, LambdaMART)
    assert isinstance(two.ranker, LambdaMART)
    assert one.ranker.model == two.ranker.model
    key = ("text~0/seen/user", "u", "love")
    np.testing.assert_array_equal(
        one.statistics.action_features(*key), two.statistics.action_features(*key)
    )


def test_learning_nothing_new_changes_no_answer(engine: SearchEngine) -> None:
    listen(engine, "love", engine.search("love").hits[4].id, 5)
    engine.learn()
    with_records = engine.state
    report = engine.learn()
    assert (report.searches, report.events, report.rounds) == (0, 0, 0)
    assert engine.state.price == with_records.price
    assert engine.state.learnt == with_records.learnt


def test_a_click_cannot_credit_memory_for_remembering_it(
    config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the first click on an item under words that no text has. Only memory will ever find
    it, but only because of that very click: in hindsight no generator may be credited for it."""
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        remembered: list[list[int]] = []
        observe = Memory.observe

        def watched(self: Memory, outcomes: Sequence[Outcome]) -> None:
            remembered.append([o.doc for o in outcomes])
            observe(self, outcomes)

        monkeypatch.setattr(Memory, "observe", watched)
        engine.record(
            [LoggedSearch("s1", "xylophone dreams", MAY, user="u")],
            [Event("click", "t17-3", MAY, search="s1", user="u")],
        )
        engine.learn()
        memory = list(engine.state.retrievers).index("memory")
        row = engine.state.catalog.row("t17-3")
        assert remembered == [[row]]
        statistics = engine.state.statistics
        assert statistics.queries.counts("xylophone dreams") == (1.0, 1.0)
        assert statistics.overall.found[0, memory].sum() == 0.0
        # The second time it is remembered fairly: the click came before this search's month.
        engine.record(
            [LoggedSearch("s2", "xylophone dreams", MAY + timedelta(days=40), user="v")],
            [Event("click", "t17-3", MAY + timedelta(days=40), search="s2", user="v")],
        )
        engine.learn()
        assert engine.state.statistics.overall.found[0, memory, -1] == 1.0


def test_within_one_chunk_no_click_is_seen_by_another(config: EngineConfig) -> None:
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        for i in range(5):
            engine.record(
                [LoggedSearch(f"s{i}", "xylophone dreams", MAY + timedelta(days=i), user="u")],
                [Event("click", "t17-3", MAY + timedelta(days=i), search=f"s{i}", user="u")],
            )
        engine.learn()
        memory = list(engine.state.retrievers).index("memory")
        assert engine.state.statistics.overall.found[0, memory].sum() == 0.0


def test_one_learn_over_months_equals_a_learn_a_month(config: EngineConfig) -> None:
    states = []
    for together in (True, False):
        with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
            for m in range(4):
                time = MAY + timedelta(days=31 * m)
                engine.record(
                    [LoggedSearch(f"s{m}", "xylophone dreams", time, user="u")],
                    [Event("click", "t17-3", time, search=f"s{m}", user="u")],
                )
                if not together:
                    engine.learn()
            if together:
                engine.learn()
            states.append(engine.state.statistics.overall.found[0])
    np.testing.assert_allclose(states[0], states[1])


def test_imported_searches_train_a_ranker(
    config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fusion that believes clicks is right in every search of this history, and no ranker is better.
    monkeypatch.setattr(parts, "BELIEVED", 0.0)
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        searches, events = [], []
        for i in range(120):
            time = MAY + timedelta(days=i)
            searches.append(LoggedSearch(f"s{i}", ("love", "train")[i % 2], time))
            events.append(Event("click", f"t{i % 2}-3", time, search=f"s{i}"))
        engine.record(searches, events)
        report = engine.learn()
        assert report.ranker == "lambdamart", report.verdict
        assert engine.search("night train").hits


def test_late_clicks_are_learnt_once(engine: SearchEngine) -> None:
    response = engine.search("love")
    engine.learn()
    engine.feedback(response.impression_id, clicks=[response.hits[0].id])
    engine.learn()
    statistics = engine.state.statistics
    assert statistics.queries.counts("love") == (1.0, 1.0)
    engine.learn()
    assert statistics is not engine.state.statistics or engine.state.statistics.queries.counts(
        "love"
    ) == (1.0, 1.0)


def test_plans_change_because_of_clicks(config: EngineConfig, clock: Clock) -> None:
    """Clicks that only memory and bm25 serve move the plan away from cold depths."""
    tight = replace(config, budget=12.0)
    with SearchEngine.build(songs(), config=tight, encoder=WordHashes()) as engine:
        cold = dict(engine.search("artista0").plan)
        for _ in range(4):
            for a in range(30):
                listen(engine, f"night train {a}", f"t{a}-2", 1)
            clock.now += 3600.0
            report = engine.learn()
        assert dict(engine.search("night train 7").plan) != cold
        assert report.candidates_mean <= 12.0


def test_the_budget_holds_in_the_mean(engine: SearchEngine) -> None:
    for a in range(30):
        listen(engine, f"song of artist {a}", f"t{a}-3", 2)
    engine.learn()
    sizes = [engine.search(f"song of artist {a}", k=1).candidates for a in range(30)]
    assert np.mean(sizes) <= engine.config.budget * 1.25


def test_rung_rewards_by_hand() -> None:
    ladder = np.array([0, 3, 10], np.int32)
    ranks = np.array([[0, 5, -1], [7, -1, -1]], np.int32)
    weights = np.array([1.0, 2.0])
    rewards = rung_rewards(ranks, weights, ladder)
    assert rewards.tolist() == [[0.0, 1.0, 3.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    assert all(a <= b for row in rewards.tolist() for a, b in pairwise(row))
    both = shared_rewards(ranks, weights, ladder)
    assert both[0, 1, 1].tolist() == [0.0, 0.0, 1.0]
    assert both[1, 2, 0].tolist() == [0.0, 1.0, 1.0]
    np.testing.assert_array_equal(np.einsum("ilil->il", both), rewards)
    np.testing.assert_array_equal(both, both.transpose(2, 3, 0, 1))


def test_clicked_ranks_and_distinct_by_hand() -> None:
    hits = [
        Hits(np.array([4, 2, 9], np.int32), np.array([3, 2, 1], np.float32)),
        Hits(np.array([9, 1], np.int32), np.array([5, 4], np.float32)),
        Hits.none(),
    ]
    assert clicked_ranks(hits, np.array([9, 7, 4], np.int32)).tolist() == [
        [2, 0, -1],
        [-1, -1, -1],
        [0, -1, -1],
    ]
    assert distinct(drawn_of(hits, np.array([3, 1, 10], np.int32), 0)) == 3
    assert distinct(drawn_of(hits, np.array([2, 2, 0], np.int32), 0)) == 4
    assert distinct([]) == 0


def test_statistics_copy_is_independent(engine: SearchEngine) -> None:
    listen(engine, "love", engine.search("love").hits[0].id, 3)
    engine.learn()
    statistics = engine.state.statistics
    twin = copy.copy(statistics)
    listen(engine, "love", engine.search("love").hits[0].id, 3)
    engine.learn()
    assert twin.queries.counts("love") == statistics.queries.counts("love")
