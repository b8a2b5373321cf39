"""Click models against probabilities worked out by hand, and the users they drive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.clicks import (
    MODELS,
    Cascade,
    ClickModel,
    DynamicBayesian,
    PositionBased,
    TrustBias,
    attraction,
    click_model,
)
from benchmarks.users import SimulatedUsers

PAGES = 40_000
A, B, C = ATTRACTIONS = (0.8, 0.3, 0.5)


def frequencies(model: ClickModel) -> list[float]:
    """Share of pages on which each position is clicked; its standard error is below 0.0025."""
    pages = np.tile(ATTRACTIONS, (PAGES, 1))
    clicked = model.clicks(pages, np.random.default_rng(5))
    assert clicked.shape == pages.shape
    assert clicked.dtype == np.bool_
    return [float(rate) for rate in clicked.mean(axis=0)]


def trusting(p: int, relevant: float, trust: float) -> float:
    return relevant * (1 - (p + 1) / 100) + (1 - relevant) * trust / p


EXPECTED = [
    (PositionBased(severity=0.0), (A, B, C)),
    (PositionBased(severity=1.0), (A, B / 2, C / 3)),
    (Cascade(), (A, (1 - A) * B, (1 - A) * (1 - B) * C)),
    # Nobody is ever satisfied or tired: everything is examined.
    (DynamicBayesian(satisfaction=0.0, continuation=1.0), (A, B, C)),
    # Satisfied by 0.5 · 0.8 of the clicks on the first, 0.5 · 0.3 of those on the second.
    (
        DynamicBayesian(satisfaction=0.5, continuation=1.0),
        (A, (1 - A * 0.4) * B, (1 - A * 0.4) * (1 - B * 0.15) * C),
    ),
    (
        DynamicBayesian(satisfaction=0.5, continuation=0.9),
        (A, 0.9 * (1 - A * 0.4) * B, 0.81 * (1 - A * 0.4) * (1 - B * 0.15) * C),
    ),
    (
        TrustBias(severity=0.0, trust=0.65),
        (trusting(1, A, 0.65), trusting(2, B, 0.65), trusting(3, C, 0.65)),
    ),
    (
        TrustBias(severity=1.0, trust=0.2),
        (trusting(1, A, 0.2), trusting(2, B, 0.2) / 2, trusting(3, C, 0.2) / 3),
    ),
]


@pytest.mark.parametrize(("model", "expected"), EXPECTED, ids=lambda value: str(value)[:60])
def test_clicks_come_as_often_as_the_model_says(
    model: ClickModel, expected: tuple[float, ...]
) -> None:
    np.testing.assert_allclose(frequencies(model), expected, atol=0.01)


def test_an_impatient_cascade_is_a_search_for_one_thing() -> None:
    clicked = Cascade().clicks(np.tile(ATTRACTIONS, (500, 1)), np.random.default_rng(0))
    assert clicked.sum(axis=1).max() == 1


def test_clicks_of_a_dbn_depend_on_each_other_and_those_by_position_do_not() -> None:
    pages = np.tile((1.0, 1.0), (20_000, 1))
    rng = np.random.default_rng(2)
    browsing = DynamicBayesian(satisfaction=0.6, continuation=1.0).clicks(pages, rng)
    assert browsing[:, 0].all()
    np.testing.assert_allclose(browsing[:, 1].mean(), 0.4, atol=0.015)


@pytest.mark.parametrize("name", MODELS)
@given(
    attractions=st.lists(st.floats(0.0, 1.0), max_size=12),
    seed=st.integers(0, 100),
)
def test_every_model_keeps_to_what_all_must_hold(
    name: str, attractions: list[float], seed: int
) -> None:
    model, shown = click_model(name), np.array(attractions, np.float64)
    clicked = model.clicks(shown, np.random.default_rng(seed))
    assert clicked.shape == shown.shape
    np.testing.assert_array_equal(clicked, model.clicks(shown, np.random.default_rng(seed)))
    if name != "trust":
        assert not clicked[shown == 0.0].any()
    pages = model.clicks(shown[None, :], np.random.default_rng(seed))
    np.testing.assert_array_equal(pages[0], clicked)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ValueError, match="found 'ubm', expected one of pbm, cascade, dbn, trust"):
        click_model("ubm")


def test_attraction_by_grade() -> None:
    found = attraction([0, 1, 2, 3, -1], highest=3, noise=0.1)
    expected = [0.1, 0.1 + 0.9 * 1 / 7, 0.1 + 0.9 * 3 / 7, 1.0, 0.1]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(attraction([0, 1], highest=1, noise=0.0), [0.0, 1.0])


@pytest.mark.parametrize(
    ("highest", "noise", "message"),
    [(0, 0.1, "highest: found 0"), (2, 1.5, "noise: found 1.5"), (1, 0.1, "grades: found 2")],
)
def test_attraction_refuses(highest: int, noise: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attraction([2], highest=highest, noise=noise)


QRELS = {"q1": {"good": 2, "fair": 1, "bad": 0, "spam": -2}, "q2": {"other": 1}}


def test_users_click_by_grade_and_what_nobody_judged_as_grade_0() -> None:
    users = SimulatedUsers(QRELS, PositionBased(severity=0.0), noise=0.2)
    rng = np.random.default_rng(0)
    shown = ["unjudged", "fair", "good", "spam", "bad"]
    pages = [users.clicks("q1", shown, rng) for _ in range(10_000)]
    rates = [np.mean([document in page for page in pages]) for document in shown]
    np.testing.assert_allclose(rates, [0.2, 0.2 + 0.8 / 3, 1.0, 0.2, 0.2], atol=0.02)
    assert all(page == [d for d in shown if d in page] for page in pages[:50])
    assert users.clicks("q1", [], rng) == []


def test_users_draw_every_query_alike_and_repeat_by_seed() -> None:
    users = SimulatedUsers(QRELS, Cascade())
    rng = np.random.default_rng(3)
    drawn = [users.query(rng) for _ in range(2_000)]
    assert abs(drawn.count("q1") - 1_000) < 150
    again = np.random.default_rng(3)
    assert drawn[:20] == [users.query(again) for _ in range(20)]


def test_the_highest_grade_can_be_given() -> None:
    sure = SimulatedUsers({"q": {"d": 1}}, Cascade(), noise=0.0)
    rng = np.random.default_rng(0)
    assert all(sure.clicks("q", ["d"], rng) for _ in range(100))
    unsure = SimulatedUsers({"q": {"d": 1}}, Cascade(), highest=2, noise=0.0)
    rate = np.mean([bool(unsure.clicks("q", ["d"], rng)) for _ in range(5_000)])
    np.testing.assert_allclose(rate, 1 / 3, atol=0.03)
    with pytest.raises(ValueError, match="qrels: found no query"):
        SimulatedUsers({}, Cascade())
