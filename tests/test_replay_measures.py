"""Measures, the bootstrap and plans found by looking, against values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.bootstrap import Bootstrap, holm
from benchmarks.metrics import measured
from benchmarks.plans_found import best_plan, cheapest_cover
from benchmarks.walk import Asked
from engine import BadInput
from engine.gathering import drawn_of
from engine.hindsight import distinct
from retrievers.base import Hits, Query

LADDER = np.array([0, 2, 5, 10], np.int32)


def test_measures_by_hand() -> None:
    wanted = {"q1": ["a", "b"], "q2": ["c"], "q3": ["d"]}
    rankings = {"q1": [("x", 0.9), ("b", 0.5)], "q2": [("c", 1.0)]}
    values = measured(wanted, rankings, 10)
    ndcg = (1 / math.log2(3)) / (1 + 1 / math.log2(3))
    np.testing.assert_allclose(values["ndcg@10"], [ndcg, 1, 0])
    np.testing.assert_allclose(values["mrr@10"], [0.5, 1, 0])
    np.testing.assert_allclose(values["success@1"], [0, 1, 0])
    np.testing.assert_allclose(values["success@10"], [1, 1, 0])


def test_ties_keep_our_order() -> None:
    """Tools break ties by id, from either end; ours is the order given."""
    for first, second in (("a", "z"), ("z", "a")):
        values = measured({"q": [first]}, {"q": [(first, 0.5), (second, 0.5)]}, 1)
        assert values["success@1"].tolist() == [1.0]


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        values = rng.exponential(size=150)
        low, high = Bootstrap(range(150), seed, 200).interval(values)
        covered += low <= 1.0 <= high
    assert 0.88 <= covered / 200 <= 0.98


def test_users_are_resampled_whole() -> None:
    """Searches that repeat each other within a user tell no more than one of them."""
    users = np.repeat(np.arange(40), 25)
    values = np.repeat(np.random.default_rng(0).random(40), 25)
    low, high = Bootstrap(users.tolist(), 0).interval(values)
    alone = Bootstrap(range(1000), 0).interval(values)
    assert high - low > 3 * (alone[1] - alone[0])


def test_differences_are_paired() -> None:
    values = np.random.default_rng(0).random(100)
    bootstrap = Bootstrap(range(100), 0)
    same = bootstrap.difference(values, values)
    assert (same.mean, same.interval, same.p) == (0.0, (0.0, 0.0), 1.0)
    apart = bootstrap.difference(values + 0.1 + 0.01 * values, values)
    assert apart.p < 1e-6
    assert apart.interval[1] - apart.interval[0] < 0.01


def test_quantile_interval_holds_the_quantile() -> None:
    values = np.random.default_rng(0).random(500)
    low, high = Bootstrap(range(500), 0).quantile_interval(values, 0.5)
    assert low < np.median(values) < high
    assert high - low < 0.2


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def _asked(seed: int) -> Asked:
    rng = np.random.default_rng(seed)
    hits = [
        Hits(rng.permutation(25)[:10].astype(np.int32), np.linspace(1, 0, 10, dtype=np.float32))
        for _ in range(3)
    ]
    wanted = np.sort(rng.choice(25, 2, replace=False)).astype(np.int32)
    clicks = tuple((int(row), datetime(2024, 1, 1, tzinfo=UTC)) for row in wanted)
    return Asked(f"q{seed}", Query("x"), hits, [0.0] * 3, wanted, clicks)


PLANS = [np.array(rungs, np.int32) for rungs in product(LADDER, repeat=3)]


@pytest.mark.parametrize("budget", [0.5, 3.0, 7.0, 12.0, 99.0])
def test_best_plan_is_the_best_of_all(budget: float) -> None:
    asked = [_asked(seed) for seed in range(60)]
    figures = {
        tuple(plan.tolist()): (
            float(np.mean([len(_brought(a, plan)) / a.wanted.size for a in asked])),
            float(np.mean([distinct(drawn_of(a.hits, plan, 0)) for a in asked])),
        )
        for plan in PLANS
    }
    best = max(recall for recall, cost in figures.values() if cost <= budget)
    recall, cost = figures[tuple(best_plan(asked, LADDER, budget).tolist())]
    assert cost <= budget
    assert recall == pytest.approx(best)


def test_best_plan_refuses_more_plans_than_it_can_look_through() -> None:
    asked = replace(_asked(0), hits=13 * _asked(0).hits)
    with pytest.raises(BadInput, match="39 generators"):
        best_plan([asked], LADDER, 10.0)


def test_cheapest_cover_brings_what_can_be_had_and_little_else() -> None:
    extra = []
    for seed in range(40):
        asked = _asked(seed)
        depths = cheapest_cover(asked.hits, asked.wanted, LADDER)
        every = _brought(asked, PLANS[-1])
        assert _brought(asked, depths) == every
        least = min(
            distinct(drawn_of(asked.hits, p, 0)) for p in PLANS if _brought(asked, p) == every
        )
        extra.append(distinct(drawn_of(asked.hits, depths, 0)) - least)
    assert np.mean(extra) < 1.0


def _brought(asked: Asked, depths: NDArray[np.int32]) -> set[int]:
    drawn = [
        row for hit, d in zip(asked.hits, depths, strict=True) for row in hit.docs[:d].tolist()
    ]
    return set(drawn) & set(asked.wanted.tolist())
