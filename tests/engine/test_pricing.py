"""The budget in the mean: what searches draw beyond what the price was set for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine import EngineConfig, Event, LoggedSearch, SearchEngine, learning
from engine.full_answers import FullAnswers
from engine.learning import SAMPLE
from engine.pricing import (
    AIM,
    HALFWAY,
    TELLING,
    Sampled,
    Tuned,
    drifted,
    leaning,
    surveyed,
    tuned,
)
from engine.state import State
from retrievers.base import Query
from tests.conftest import WordHashes, songs


def test_the_drift_goes_to_what_is_drawn_as_searches_are_many(engine: SearchEngine) -> None:
    state = replace(engine.state, expected=20.0, drift=1.0)
    assert drifted(state, [30] * HALFWAY) == pytest.approx(1.25)
    found = [drifted(state, [30] * n) for n in (TELLING, 500, 5_000, 500_000)]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(1.5, abs=0.01)
    assert drifted(state, [20] * 1000) == pytest.approx(1.0)


def test_what_tells_nothing_leaves_the_drift(engine: SearchEngine) -> None:
    state = replace(engine.state, expected=20.0, drift=1.3)
    assert drifted(state, [90] * (TELLING - 1)) == 1.3
    assert drifted(replace(state, expected=float("nan")), [90] * 900) == 1.3
    # A burst of something else altogether moves it no further than to twice or half.
    assert drifted(state, [9000] * 10**6) == pytest.approx(2.0, abs=0.01)


def test_a_price_aims_below_the_budget(engine: SearchEngine) -> None:
    for _ in range(3):
        for query in ("love", "blue", "night", "silver river", "rock", "jazz", "folk") * 4:
            response = engine.search(query)
            engine.feedback(response.impression_id, clicks=[response.hits[0].id])
        mean = engine.learn().candidates_mean
    assert 0 < mean <= AIM * engine.config.budget + 1e-9


def test_a_sample_of_long_answers_is_priced_as_one(engine: SearchEngine) -> None:
    """What it drew when it was served tells how it differs from all that was."""
    queries = [Query(text=text) for text in ("love", "blue night", "silver river", "rock", "jazz")]
    sample = surveyed(engine.state, queries * (TELLING // 5), FullAnswers(engine.state))
    heavy = [replace(one, drew=30) for one in sample]
    assert leaning(heavy, 20.0) == pytest.approx(1.5)
    assert leaning(heavy[1:], 20.0) == leaning(sample, 20.0) == leaning(heavy, float("nan")) == 1.0
    plain, told = (tuned(engine.state, engine.config, of, 20.0) for of in (sample, heavy))
    assert told.price < plain.price
    assert told.mean <= AIM * engine.config.budget + 1e-9


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # (searches asked again, whether they tell the price) after each day.
        ((120, 10, 10, 30), [(120, True), (10, False), (10, False), (170, True)]),
        ((SAMPLE, 30, 80, 5), [(SAMPLE, True), (30, False), (SAMPLE, True), (SAMPLE, True)]),
        ((30, 0, 120), [(30, True), (0, False), (150, True)]),
        ((1,), [(1, True)]),
    ],
)
def test_few_searches_tell_the_price_with_those_before_them(
    config: EngineConfig,
    monkeypatch: pytest.MonkeyPatch,
    days: tuple[int, ...],
    expected: list[tuple[int, bool]],
) -> None:
    found: list[tuple[int, bool]] = []

    def surveying(state: State, queries: Sequence[Query], *given: Any) -> list[Sampled]:
        found.append((len(queries), False))
        return surveyed(state, queries, *given)

    def pricing(*given: Any) -> Tuned:
        found[-1] = (found[-1][0], True)
        return tuned(*given)

    monkeypatch.setattr(learning, "surveyed", surveying)
    monkeypatch.setattr(learning, "tuned", pricing)
    config = replace(config, chunk="day", foresight=False)
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        for day, count in enumerate(days):
            time = datetime(2024, 5, 6 + day, tzinfo=UTC)
            engine.record(
                [LoggedSearch(f"{day}-{i}", "blue", time, user="u") for i in range(count)],
                [Event("click", "t17-3", time, user="u")],
            )
        engine.learn()
    assert found == expected
