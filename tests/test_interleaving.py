"""Team-draft interleaving: the draft by hand, its fairness, and credit in simulation."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.clicks import PositionBased, attraction
from rankers.interleaving import (
    FIRST,
    NEITHER,
    SECOND,
    Credit,
    credit,
    margin,
    share_interval,
    sign_test,
    team_draft,
)

Docs = NDArray[np.int32]


def tossing(*falls: int) -> np.random.Generator:
    """A generator whose first tosses of a coin fall so: the first seed that does it."""
    for seed in count():
        rng = np.random.default_rng(seed)
        if [int(rng.integers(2)) for _ in falls] == list(falls):
            return np.random.default_rng(seed)
    raise AssertionError


def docs(*rows: int) -> Docs:
    return np.array(rows, np.int32)


def drafted(
    first: Docs, second: Docs, k: int, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    page = team_draft(first, second, k, rng)
    return page.docs.tolist(), page.teams.tolist()


def test_the_draft_by_hand() -> None:
    # Both agree on 9. Second is first to draft, and takes 2; first follows with 1. Then first wins the
    # toss: 2 is gone, so 3; second would have 1, which is gone, and takes 4.
    found = drafted(docs(9, 1, 2, 3), docs(9, 2, 1, 4), 5, tossing(SECOND, FIRST))
    assert found == ([9, 2, 1, 3, 4], [NEITHER, SECOND, FIRST, FIRST, SECOND])


def test_what_both_would_draft_goes_to_whose_turn_it_is() -> None:
    first, second = docs(1, 3, 4), docs(2, 3, 5)
    assert drafted(first, second, 4, tossing(FIRST, SECOND)) == (
        [1, 2, 3, 4],
        [FIRST, SECOND, SECOND, FIRST],
    )


def test_what_is_left_of_one_order_is_to_nobodys_credit() -> None:
    found = drafted(docs(1), docs(2, 3, 4), 10, tossing(FIRST))
    assert found == ([1, 2, 3, 4], [FIRST, SECOND, NEITHER, NEITHER])
    none = docs()
    rng = np.random.default_rng(0)
    # Whoever falls first, both have one.
    assert drafted(docs(1), docs(2, 3, 4), 10, tossing(SECOND))[1] == [
        SECOND,
        FIRST,
        NEITHER,
        NEITHER,
    ]
    assert drafted(none, docs(1, 2), 5, rng) == ([1, 2], [NEITHER, NEITHER])
    assert drafted(none, none, 5, rng) == ([], [])


orders = st.lists(st.integers(0, 30), unique=True, max_size=20).map(lambda rows: docs(*rows))


@given(orders, orders, st.integers(0, 2**32), st.integers(0, 40))
def test_a_page_is_the_beginning_of_a_longer_one(
    first: Docs, second: Docs, seed: int, k: int
) -> None:
    all_docs, all_teams = drafted(first, second, 100, np.random.default_rng(seed))
    assert drafted(first, second, k, np.random.default_rng(seed)) == (all_docs[:k], all_teams[:k])
    assert sorted(all_docs) == sorted({*first.tolist(), *second.tolist()})
    for n in range(len(all_teams) + 1):
        assert abs(all_teams[:n].count(FIRST) - all_teams[:n].count(SECOND)) <= 1
    for team, order in ((FIRST, first.tolist()), (SECOND, second.tolist())):
        own = [doc for doc, of in zip(all_docs, all_teams, strict=True) if of == team]
        assert own == [doc for doc in order if doc in own]


def test_equal_orders_give_nobody_credit() -> None:
    order = docs(3, 1, 2)
    found = drafted(order, order, 3, np.random.default_rng(0))
    assert found == ([3, 1, 2], [NEITHER] * 3)
    nothing = credit(np.arange(2), np.zeros(2), np.array([True, False]))
    assert (nothing.votes, nothing.ties, nothing.preference, nothing.p) == (1, 1, 0.0, 1.0)
    assert (nothing.low, nothing.needed, nothing.better) == (None, None, None)


def test_each_team_stands_as_often_in_each_place() -> None:
    """By seeded draws of two orders that differ from the top on: half of each place, within 4 errors."""
    rng = np.random.default_rng(5)
    n = 4000
    seconds = sum(
        team_draft(docs(0, 1, 2, 3, 4), docs(4, 2, 1, 0, 3), 4, rng).teams == SECOND
        for _ in range(n)
    )
    assert np.abs(np.asarray(seconds) / n - 0.5).max() < 4 * 0.5 / n**0.5


def test_credit_by_hand() -> None:
    teams = np.array([NEITHER, FIRST, SECOND, SECOND], np.int8)
    assert margin(teams, np.array([5.0, 1.0, 0.5, 1.0])) == 0.5
    # Four votes: group 0 is won by the second in two of three impressions, 1 by the first, 2 is a
    # tie, 3 by the second; nobody clicked in 4.
    groups = np.array([0, 0, 0, 1, 2, 3, 4])
    margins = np.array([1.0, -3.0, 2.0, -1.0, 0.0, 1.0, 0.0])
    found = credit(groups, margins, np.array([True] * 6 + [False]))
    assert (found.impressions, found.clicked, found.votes) == (7, 6, 4)
    assert (found.wins, found.losses, found.ties) == (2, 1, 1)
    assert found.preference == (2 + 0.5) / 4 - 0.5
    assert found.p == 1.0
    assert found.low is not None
    assert found.high is not None
    low, high = share_interval(2, 3)
    assert found.low == pytest.approx((low - 0.5) * 3 / 4)
    assert found.high == pytest.approx((high - 0.5) * 3 / 4)
    assert found.better is None


def test_the_sign_test_and_its_interval() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(5, 0) == pytest.approx(2 / 32)
    assert sign_test(0, 6) == pytest.approx(2 / 64)
    assert sign_test(9, 1) == pytest.approx(2 * (1 + 10) / 1024)
    assert sign_test(500, 500) == 1.0
    low, high = share_interval(0, 10)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025**0.1)  # nothing in ten: (1 - high)¹⁰ = 2.5%
    assert share_interval(10, 10) == pytest.approx((0.025**0.1, 1.0))
    assert share_interval(8, 20) == pytest.approx((0.191, 0.639), abs=5e-4)
    for wins in range(31):  # both say the same of equality
        low, high = share_interval(wins, 30)
        assert (low > 0.5 or high < 0.5) == (sign_test(wins, 30 - wins) < 0.05)


def test_how_many_more_it_takes() -> None:
    def of(wins: int, losses: int) -> Credit:
        n = wins + losses
        margins = np.array([1.0] * wins + [-1.0] * losses + [0.0] * n)
        return credit(np.arange(2 * n), margins, np.array([True] * n + [False] * n))

    assert of(20, 2).needed == 0
    assert of(4, 4).needed is None
    # A share of 0.6 takes 194 votes for a chance of 80%; half of the impressions are clicked.
    assert of(12, 8).needed == pytest.approx((194 - 20) * 2, abs=4)
    assert (of(3, 0).needed or 0) >= 1


# Fifty queries of twenty items; a ranker knows an item's grade up to noise.
GRADES = np.random.default_rng(1).choice(3, (50, 20), p=(0.7, 0.2, 0.1))
NOISE = np.random.default_rng(2).standard_normal((2, 50, 20))


def order_of(query: int, ranker: int, noise: float) -> Docs:
    scores = GRADES[query] + noise * NOISE[ranker, query]
    return np.argsort(-scores, kind="stable").astype(np.int32)


def compared(
    noises: tuple[float, float],
    draws: int,
    rng: np.random.Generator,
    repeats: int = 1,
    grouped: bool = True,
    gap: bool = True,
) -> Credit:
    """Pages of ten of two rankers with so much noise, clicked by a position-based model.

    Each draw is shown `repeats` times; without `grouped`, every impression is a group of its own.
    Without `gap`, people click by position alone, so that neither ranker is better.
    """
    groups: list[int] = []
    margins: list[float] = []
    clicked: list[bool] = []
    attracts = attraction(GRADES, highest=2) if gap else np.full(GRADES.shape, 0.6)
    for n in range(draws):
        query = int(rng.integers(len(GRADES)))
        page = team_draft(order_of(query, 0, noises[0]), order_of(query, 1, noises[1]), 10, rng)
        shown = np.tile(attracts[query, page.docs], (repeats, 1))
        for clicks in PositionBased().clicks(shown, rng):
            groups.append(n if grouped else len(groups))
            margins.append(margin(page.teams, clicks.astype(np.float64)))
            clicked.append(bool(clicks.any()))
    return credit(np.array(groups), np.array(margins), np.array(clicked))


def test_the_better_ranker_wins() -> None:
    found = compared((2.0, 0.3), 600, np.random.default_rng(11))
    assert found.better == SECOND
    assert found.low is not None
    assert found.low > 0.0
    assert found.needed == 0
    assert compared((0.3, 2.0), 600, np.random.default_rng(12)).better == FIRST


def test_the_same_ranker_twice_is_always_a_tie() -> None:
    rng = np.random.default_rng(13)
    order = order_of(0, 0, 1.0)
    pages = [team_draft(order, order, 10, rng) for _ in range(50)]
    found = credit(
        np.arange(50), np.array([margin(p.teams, np.ones(10)) for p in pages]), np.ones(50, bool)
    )
    assert (found.wins, found.losses, found.ties, found.preference) == (0, 0, 50, 0.0)


RUNS = 300
BOUND = 0.05 + 3 * (0.05 * 0.95 / RUNS) ** 0.5
"""Of the share of errors of a 5% test over the runs: three standard errors above."""


def false_alarms(draws: int, repeats: int, grouped: bool) -> tuple[float, float]:
    """(share of runs where one of two equals is declared better, mean preference)."""
    rng = np.random.default_rng(17)
    found = [compared((1.0, 1.0), draws, rng, repeats, grouped, gap=False) for _ in range(RUNS)]
    alarms = sum(one.better is not None for one in found)
    return alarms / RUNS, float(np.mean([one.preference or 0.0 for one in found]))


def test_equals_are_seldom_told_apart() -> None:
    share, preference = false_alarms(60, 1, True)
    assert share <= BOUND
    assert abs(preference) < 0.02


def test_impressions_of_one_draw_have_one_vote() -> None:
    """Twenty impressions with the same draw are no twenty votes: taken so, equals are told apart too often."""
    together, _ = false_alarms(15, 20, True)
    alone, _ = false_alarms(15, 20, False)
    assert together <= BOUND < alone
