"""What a search answers, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from engine import (
    BadContext,
    BadInput,
    BadQuery,
    Context,
    EngineConfig,
    Response,
    SearchEngine,
    Turn,
)
from retrievers.base import BoolMask, Docs, Features, Hits, Query
from tests.conftest import Clock, WordHashes, songs


def loose(**fields: Any) -> Context:
    """A context as a caller without types may make it."""
    return Context(**fields)


def answer_of(response: Response) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in response.hits]


def test_a_name_is_found_with_its_provenance(engine: SearchEngine) -> None:
    response = engine.search("night train artistc2")
    assert response.hits[0].id == "t2-2"
    assert response.hits[0].document.title == "Night Train ArtistC2"
    assert response.hits[0].sources["bm25"].rank == 1
    assert set(response.plan) == set(engine.config.generators)
    assert response.candidates >= len(response.hits) > 0
    assert 0 < response.propensity <= 1
    assert [hit.rank for hit in response.hits] == list(range(1, len(response.hits) + 1))


def test_a_misspelt_name_is_found(engine: SearchEngine) -> None:
    assert "a2" in [hit.id for hit in engine.search("artsitc2").hits]


@pytest.mark.parametrize("query", ["love", "silver river", "", "jazz", "zzz"])
def test_fewer_results_are_the_first_of_more(engine: SearchEngine, query: str) -> None:
    few, many = engine.search(query, k=10), engine.search(query, k=50)
    assert answer_of(few) == answer_of(many)[:10]
    assert few.plan == many.plan


def test_equal_searches_have_equal_answers_and_own_impressions(
    engine: SearchEngine, clock: Clock
) -> None:
    first = engine.search("love", Context(user="u"))
    clock.now += 1.0
    second = engine.search("love", Context(user="u"))
    assert answer_of(first) == answer_of(second)
    assert first.plan == second.plan
    assert first.impression_id != second.impression_id


def test_equal_seeds_build_equal_engines(config: EngineConfig) -> None:
    answers = []
    for _ in range(2):
        with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as one:
            answers.append([answer_of(one.search(q)) for q in ("love", "river", "jazz")])
    assert answers[0] == answers[1]


def test_threads_answer_as_one_after_another(engine: SearchEngine) -> None:
    queries = ["love", "silver river", "artista0", "jazz", "song of"] * 8
    alone = [answer_of(engine.search(q)) for q in queries]
    with ThreadPoolExecutor(4) as pool:
        together = [answer_of(r) for r in pool.map(engine.search, queries)]
    assert together == alone


@pytest.mark.parametrize("threads", [1, 2])
def test_many_are_answered_as_one_by_one(engine: SearchEngine, threads: int) -> None:
    asked = [("silver river", None), ("love", Context(user="u1")), ("night train artistc2", None)]
    alone = [engine.search(query, context, 5) for query, context in asked]
    before = engine.log.last()[0]
    together = engine.search_many(asked, 5, threads=threads)
    assert list(map(answer_of, together)) == list(map(answer_of, alone))
    assert [one.plan for one in together] == [one.plan for one in alone]
    assert engine.log.last()[0] == before + len(asked)
    engine.feedback(together[1].impression_id, clicks=[together[1].hits[0].id])


def test_one_that_cannot_be_searched_refuses_many(engine: SearchEngine) -> None:
    before = engine.log.last()
    with pytest.raises(BadInput, match="query"):
        engine.search_many([("love", None), (loose(user="u1"), None)])  # type: ignore[list-item]
    assert engine.log.last() == before
    assert engine.search_many([]) == []


def test_an_empty_query_gives_popular_items(engine: SearchEngine) -> None:
    response = engine.search("")
    assert len(response.hits) >= engine.config.at_least
    assert all("popular" in hit.sources for hit in response.hits[:3])


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"type": "artist"}, lambda d: d.type == "artist"),
        ({"genre": ("jazz", "folk")}, lambda d: d.metadata["genre"][0] in ("jazz", "folk")),
        (
            {"type": "track", "genre": "rock", "year": ("1970", "1973")},
            lambda d: d.type == "track" and d.metadata["year"] in (1970, 1973),
        ),
        ({"genre": "polka"}, lambda d: False),
    ],
)
def test_filters(
    engine: SearchEngine, filters: dict[str, Any], passes: Callable[[Any], bool]
) -> None:
    response = engine.search("love song", Context(filters=filters), k=200)
    assert all(passes(hit.document) for hit in response.hits)
    expected = sum(passes(d) for d in songs())
    assert (len(response.hits) > 0) == (expected > 0)


@pytest.mark.parametrize(
    ("query", "context", "k", "error", "says"),
    [
        (3, None, 10, BadQuery, "found int"),
        ("x" * 1001, None, 10, BadQuery, "limit is 1,000"),
        ("a\x00b", None, 10, BadQuery, "NUL"),
        ("love", None, 0, BadInput, "k: found 0"),
        ("love", None, -3, BadInput, "k: found -3"),
        ("love", None, 2.5, BadInput, "k: found 2.5"),
        ("love", Context(filters={"colour": "red"}), 10, BadContext, "unknown field 'colour'"),
        ("love", Context(attributes={"age": float("nan")}), 10, BadContext, "found nan"),
        ("love", loose(user=3), 10, BadContext, "Context.user"),
        ("love", loose(filters={"year": 3}), 10, BadContext, "Context.filters"),
        ("love", {"user": "u"}, 10, BadContext, "expected Context"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_logged(
    engine: SearchEngine, query: Any, context: Any, k: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        engine.search(query, context, k)
    assert engine.log.last() == (0, 0)


def test_what_is_logged_of_a_search(engine: SearchEngine, clock: Clock) -> None:
    context = Context(
        user="u",
        turns=(Turn("user", "hi", ("a1",)),),
        time=datetime(2024, 5, 4, 12, tzinfo=UTC),
        locale="de",
        filters={"type": ("track", "artist")},
        attributes={"device": "car", "age": 30.0},
    )
    response = engine.search("love", context, k=5)
    row = engine.log.search(response.impression_id)
    assert row is not None
    assert row.shown == tuple(hit.id for hit in response.hits)
    assert {name: depth for name, (depth, _) in row.plan.items()} == dict(response.plan)
    assert row.propensity == response.propensity
    assert row.context["attributes"] == {"device": "car", "age": 30.0}
    assert row.time == datetime(2024, 5, 4, 12, tzinfo=UTC).timestamp()


def test_a_failing_generator_costs_its_candidates_not_the_answer(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(engine.state.retrievers["bm25"], "retrieve", broken)
    for query in ("love", "jazz", "silver river"):
        response = engine.search(query)
        assert response.hits
        if response.plan["bm25"]:
            assert any("bm25: failed (RuntimeError: disk on fire)" in n for n in response.notes)


def test_a_generator_that_cannot_describe_costs_its_columns_not_the_answer(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(query: Query, docs: Docs) -> Features:
        raise RuntimeError("no model")

    monkeypatch.setattr(engine.state.retrievers["dense"], "describe", broken)
    response = engine.search("love")
    assert response.hits
    assert "dense: could not describe the candidates (RuntimeError: no model)" in response.notes


def test_a_time_without_a_zone_is_utc(engine: SearchEngine) -> None:
    naive, aware = datetime(2024, 5, 4, 12), datetime(2024, 5, 4, 12, tzinfo=UTC)
    answers = [engine.search("love", Context(time=time)) for time in (naive, aware)]
    assert answer_of(answers[0]) == answer_of(answers[1])
    rows = [engine.log.search(a.impression_id) for a in answers]
    assert [row.time for row in rows if row is not None] == [aware.timestamp()] * 2


def test_a_used_up_time_budget_is_noted(config: EngineConfig) -> None:
    from dataclasses import replace

    hurried = replace(config, search_ms=0.0)
    with SearchEngine.build(songs(), config=hurried, encoder=WordHashes()) as engine:
        response = engine.search("love")
        asked = {name for name, depth in response.plan.items() if depth}
        assert asked
        assert asked <= {note.split(":")[0] for note in response.notes}
        assert len(set(response.notes)) == len(response.notes)


def test_why_an_item_is_missing(engine: SearchEngine) -> None:
    shown = engine.search("love", k=5)
    first = shown.hits[0].id
    assert engine.why_missing("love", first, k=5).reason == "shown"
    assert engine.why_missing("love", "nobody", k=5).reason == "unknown"
    filtered = engine.why_missing("love", first, Context(filters={"genre": "polka"}), k=5)
    assert filtered.reason == "filtered"
    more = [hit.id for hit in engine.search("love", k=100).hits]
    outranked = engine.why_missing("love", more[7], k=5)
    assert (outranked.reason, outranked.rank) == ("outranked", 8)
    absent = next(d.id for d in songs() if d.id not in more)
    missing = engine.why_missing("love", absent, k=5)
    assert missing.reason in ("cut", "not_found")
    assert missing.rank is None


def test_an_explanation_tells_the_plan(engine: SearchEngine) -> None:
    response = engine.search("love", explain=True)
    assert response.explanation is not None
    steps = {step.generator: step for step in response.explanation.steps}
    assert {name: step.depth for name, step in steps.items()} == dict(response.plan)
    assert all(0 < step.propensity <= 1 for step in steps.values())
    assert steps["bm25"].found <= steps["bm25"].depth
    assert np.isclose(response.explanation.propensity, response.propensity)
