"""The budget in the mean: what searches draw beyond what the price was set for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import SearchEngine
from engine.pricing import AIM, HALFWAY, TELLING, drifted


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
