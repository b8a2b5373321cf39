"""MMR, xQuAD and PM-2 by hand, and what holds for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankers.diversity import METHODS, mmr, pm2, unserved_by_the_first, xquad

RELEVANCE = np.array([1.0, 0.9, 0.8, 0.5])
COVERAGE = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
SHARES = np.array([0.6, 0.4])


def test_mmr_by_hand() -> None:
    """After item 0, item 1 is its like: 0.5 · 0.9 - 0.5 · 1 < 0.5 · 0.5 < 0.5 · 0.8."""
    assert mmr(RELEVANCE, COVERAGE, SHARES, 0.5, 4).tolist() == [0, 2, 3, 1]


def test_xquad_by_hand() -> None:
    """First 0.5 + 0.5 · 0.6; then nobody who means the first thing is left: 0.45, 0.4 + 0.16, 0.25."""
    assert xquad(RELEVANCE, COVERAGE, SHARES, 0.5, 4).tolist() == [0, 2, 1, 3]
    # A good item that serves neither comes before one that repeats, where diversity is all.
    assert xquad(RELEVANCE, COVERAGE, SHARES, 1.0, 2).tolist() == [0, 2]


def test_pm2_gives_seats_as_sainte_lague_does() -> None:
    """Shares 0.6 and 0.4: seats go first, second, first, second, first."""
    coverage = np.repeat(np.eye(2), 5, axis=0)
    page = pm2(np.ones(10), coverage, SHARES, 1.0, 5)
    assert (page // 5).tolist() == [0, 1, 0, 1, 0]


def test_the_ambiguity_is_what_the_first_leaves_out() -> None:
    assert unserved_by_the_first(np.array([2, 0]), COVERAGE, SHARES) == pytest.approx(0.6)
    assert unserved_by_the_first(np.array([3]), COVERAGE, SHARES) == 1.0
    assert unserved_by_the_first(np.array([], np.int64), COVERAGE[:0], SHARES) == 0.0
    assert unserved_by_the_first(np.array([0]), np.empty((4, 0)), np.empty(0)) == 0.0


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 12), a=st.integers(0, 4))
def test_a_page_has_each_item_once_and_starts_as_a_longer_one(
    method: str, seed: int, n: int, a: int
) -> None:
    rng = np.random.default_rng(seed)
    relevance, coverage = rng.random(n), (rng.random((n, a)) < 0.4).astype(np.float64)
    shares = rng.random(a)
    shares = shares / max(shares.sum(), 1e-9)
    make = METHODS[method]
    whole = make(relevance, coverage, shares, 0.7, n)
    assert sorted(whole.tolist()) == list(range(n))
    assert make(relevance, coverage, shares, 0.7, 3).tolist() == whole[:3].tolist()
    plain = np.argsort(-relevance, kind="stable").tolist()
    assert make(relevance, coverage, shares, 0.0, n).tolist() == plain


@pytest.mark.parametrize("method", METHODS)
def test_every_meaning_has_an_item_where_diversity_is_all(method: str) -> None:
    coverage = np.repeat(np.eye(3), [6, 2, 1], axis=0)
    relevance = np.linspace(1.0, 0.6, 9)
    page = METHODS[method](relevance, coverage, np.array([0.5, 0.3, 0.2]), 1.0, 4)
    assert coverage[page].max(axis=0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("method", METHODS)
def test_bad_arguments_are_named(method: str) -> None:
    make = METHODS[method]
    with pytest.raises(ValueError, match="found shapes"):
        make(RELEVANCE, COVERAGE[:2], SHARES, 0.5, 3)
    with pytest.raises(ValueError, match="relevance: found"):
        make(-RELEVANCE, COVERAGE, SHARES, 0.5, 3)
    with pytest.raises(ValueError, match="coverage: found"):
        make(RELEVANCE, 2 * COVERAGE, SHARES, 0.5, 3)
    for trade in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="trade: found"):
            make(RELEVANCE, COVERAGE, SHARES, trade, 3)
