from __future__ import annotations

import itertools
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandit.base import Depths, Floats
from bandit.plans import expected_candidates, greedy

LADDER = np.array([0, 3, 10], np.int32)


def disjoint(generators: int, ladder: Depths = LADDER) -> Floats:
    overlap = np.zeros((generators, len(ladder), generators, len(ladder)))
    for i in range(generators):
        overlap[i, :, i, :] = np.minimum.outer(ladder, ladder)
    return overlap


def of_lists(lists: list[list[int]], ladder: Depths = LADDER) -> Floats:
    """The overlap of generators that return exactly these documents."""
    tops = [[set(docs[:depth]) for depth in ladder] for docs in lists]
    return np.array([[[[len(a & b) for b in j] for j in tops] for a in i] for i in tops], float)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Floats, Floats, Depths]:
    ladder = np.array([0, 2, 5, 9], np.int32)
    generators = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    lists = [rng.permutation(14)[: rng.integers(0, 10)].tolist() for _ in range(generators)]
    gains = np.zeros((generators, len(ladder)))
    gains[:, 1:] = rng.normal(0.2, 0.5, size=(generators, 3)).cumsum(axis=1)
    return gains, of_lists(lists, ladder), ladder


def test_draws_while_a_new_candidate_is_worth_the_price() -> None:
    gains = np.array([[0.0, 0.30, 0.37], [0.0, 0.15, 0.85]])
    # Per candidate: generator 0 gives 0.1, then 0.01 more; generator 1 gives 0.085 at once at 10.
    overlap = disjoint(2)
    assert greedy(gains, overlap, 0.11, LADDER).tolist() == [0, 0]
    assert greedy(gains, overlap, 0.09, LADDER).tolist() == [1, 0]
    assert greedy(gains, overlap, 0.05, LADDER).tolist() == [1, 2]
    assert greedy(gains, overlap, 0.005, LADDER).tolist() == [2, 2]


def test_documents_already_drawn_cost_nothing_again() -> None:
    same = list(range(10))
    gains = np.array([[0.0, 0.6, 1.5], [0.0, 0.05, 0.1]])
    apart, alike = of_lists([same, list(range(10, 20))]), of_lists([same, same])
    assert greedy(gains, apart, 0.02, LADDER).tolist() == [2, 0]
    # Ten documents that generator 0 has too cost 10 · 0.05 candidates for their drawing.
    assert greedy(gains, alike, 0.02, LADDER).tolist() == [2, 2]
    assert greedy(gains, alike, 0.16, LADDER).tolist() == [1, 1]


def test_ties_go_to_the_first_generator_and_the_lowest_rung() -> None:
    ladder = np.array([0, 4, 8], np.int32)
    gains = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    # Each generator has nothing that the other has not, so once one is drawn in full the other
    # only costs its drawing.
    alike = of_lists([list(range(8)), list(range(8))], ladder)
    assert greedy(gains, alike, 0.2, ladder).tolist() == [2, 2]
    price_of_the_first_step_only = 1.0 / 4 - 1e-9
    flat = np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    overlap = disjoint(2, ladder)
    assert greedy(flat, overlap, price_of_the_first_step_only, ladder).tolist() == [1, 1]
    assert greedy(gains[:1], disjoint(1, ladder), 1.0 / 4, ladder).tolist() == [0]


def test_a_free_candidate_is_drawn_where_it_helps_and_a_priceless_one_never() -> None:
    gains = np.array([[0.0, 0.1, 0.2], [0.0, 0.0, 0.0], [0.0, -0.2, -0.1]])
    assert greedy(gains, disjoint(3), 0.0, LADDER).tolist() == [2, 0, 0]
    assert greedy(gains, disjoint(3), float("inf"), LADDER).tolist() == [0, 0, 0]


def test_a_generator_that_returns_nothing_still_costs_its_drawing() -> None:
    gains = np.array([[0.0, 0.3, 0.3]])
    nothing = np.zeros((1, 3, 1, 3))
    assert greedy(gains, nothing, 1.9, LADDER).tolist() == [1]  # 0.3 / (3 · 0.05) = 2
    assert greedy(gains, nothing, 2.1, LADDER).tolist() == [0]


@given(problems(), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=200)
def test_a_higher_price_never_draws_more(
    problem: tuple[Floats, Floats, Depths], one: float, other: float
) -> None:
    gains, overlap, ladder = problem
    low, high = sorted((one, other))
    assert (greedy(gains, overlap, high, ladder) <= greedy(gains, overlap, low, ladder)).all()


@given(problems(), st.floats(0, 1))
@settings(max_examples=200)
def test_a_plan_is_worth_more_than_its_candidates_cost(
    problem: tuple[Floats, Floats, Depths], price: float
) -> None:
    gains, overlap, ladder = problem
    rungs = greedy(gains, overlap, price, ladder)
    gain = gains[np.arange(len(rungs)), rungs].sum()
    assert gain >= 0.05 * price * ladder[rungs].sum() - 1e-12
    if len(gains) <= 2:  # where the cost is exact
        assert gain >= price * expected_candidates(rungs, overlap) - 1e-9


@given(st.integers(0, 10_000), st.floats(0.001, 0.5))
@settings(max_examples=100)
def test_without_overlap_and_with_concave_gains_the_plan_is_the_best_there_is(
    seed: int, price: float
) -> None:
    rng = np.random.default_rng(seed)
    ladder = np.array([0, 2, 5, 9], np.int32)
    slopes = -np.sort(-rng.random((3, 3)), axis=1)
    gains = np.zeros((3, 4))
    gains[:, 1:] = (slopes * np.diff(ladder)).cumsum(axis=1)
    best = (gains - price * ladder).argmax(axis=1)
    assert greedy(gains, disjoint(3, ladder), price, ladder).tolist() == best.tolist()


def test_candidates_of_two_generators_are_counted_exactly() -> None:
    overlap = of_lists([[1, 2, 3, 4, 5], [4, 9, 1, 8, 7, 2]])
    assert expected_candidates(np.array([0, 0]), overlap) == 0.0
    assert expected_candidates(np.array([1, 0]), overlap) == 3.0
    assert expected_candidates(np.array([1, 1]), overlap) == pytest.approx(5.0)  # 1 is shared
    assert expected_candidates(np.array([2, 2]), overlap) == pytest.approx(8.0)  # 1, 2, 4 are


def test_candidates_of_three_generators_take_shares_as_independent() -> None:
    lists = [list(range(10)), list(range(5, 15)), [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]]
    overlap = of_lists(lists)
    for one, other in combinations(range(3), 2):
        assert overlap[one, 2, other, 2] == 5
    # 10 + 10 · 1/2 + 10 · 1/2 · 1/2, where 15 is true: every document has exactly two owners.
    assert expected_candidates(np.array([2, 2, 2]), overlap) == pytest.approx(17.5)


def test_gains_shared_with_what_is_drawn_are_not_gained_twice() -> None:
    """Two generators succeed on the same items: once the first is drawn, the second adds nothing."""
    gains = np.array([[0.0, 0.5, 0.5], [0.0, 0.4, 0.4]])
    overlap = disjoint(2)
    successes = np.zeros_like(overlap)
    for i, j in itertools.product(range(2), repeat=2):
        successes[i, 1:, j, 1:] = min(gains[i, 1], gains[j, 1])
    assert greedy(gains, overlap, 0.01, LADDER).tolist() == [1, 1]
    assert greedy(gains, overlap, 0.01, LADDER, successes).tolist() == [1, 0]
    # Half of the second's successes are its own: half of its gain is left.
    successes[1, 1:, 0, 1:] = successes[0, 1:, 1, 1:] = 0.2
    half = 0.2 / LADDER[1]
    assert greedy(gains, overlap, half * 1.01, LADDER, successes).tolist() == [1, 0]
    assert greedy(gains, overlap, half * 0.99, LADDER, successes).tolist() == [1, 1]
