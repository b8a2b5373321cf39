from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandit.price import CALLS, tune


def counted(mean: Callable[[float], float]) -> tuple[Callable[[float], float], list[float]]:
    asked: list[float] = []

    def asking(price: float) -> float:
        asked.append(price)
        return mean(price)

    return asking, asked


@given(st.floats(1.0, 400.0), st.floats(1e-6, 10.0))
@settings(max_examples=100)
def test_the_mean_meets_the_budget(budget: float, start: float) -> None:
    asking, asked = counted(lambda price: 500.0 / (1.0 + price / 0.01))
    price = tune(asking, budget, start)
    exact = 0.01 * (500.0 / budget - 1.0)
    assert exact <= price <= exact * 1.02
    assert len(asked) <= CALLS


@pytest.mark.parametrize("start", [0.0, 1e-4, 0.01, 3.0])
def test_between_two_steps_the_mean_stays_within_the_budget(start: float) -> None:
    # 40 candidates up to a price of 0.02, 10 above: no price gives 25.
    price = tune(lambda price: 40.0 if price < 0.02 else 10.0, 25.0, start)
    assert 0.02 <= price <= 0.0201


def test_a_budget_that_nothing_exceeds_makes_candidates_free() -> None:
    assert tune(lambda _: 12.0, 80.0, 0.01) == 0.0


def test_a_budget_that_nothing_meets_gives_a_price_that_draws_nothing() -> None:
    price = tune(lambda _: 12.0, 3.0, 0.01)
    assert math.isfinite(price)
    assert price > 1e6


def test_noise_costs_precision_but_no_more_calls() -> None:
    noise = iter([1.05, 0.95] * CALLS)
    asking, asked = counted(lambda price: next(noise) * 500.0 / (1.0 + price / 0.01))
    price = tune(asking, 50.0, 0.5)
    assert 0.08 <= price <= 0.1
    assert len(asked) <= CALLS


@pytest.mark.parametrize(
    ("budget", "start", "message"),
    [
        (-1.0, 0.1, "budget: found -1"),
        (math.nan, 0.1, "budget: found nan"),
        (10.0, -0.1, "start: found -0.1"),
        (10.0, math.inf, "start: found inf"),
    ],
)
def test_bad_arguments(budget: float, start: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tune(lambda _: 1.0, budget, start)
