"""The sweep gives what adding up list by list gives, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from retrievers import maxscore, sweep
from retrievers.topk import frozen

ROWS = 3 * sweep.BLOCK - 1000
NONE = frozen(np.empty(0, np.bool_))


class Lists:
    """Random postings of `lists` terms over `ROWS` rows."""

    def __init__(self, lists: int, seed: int, *, tied: bool = False) -> None:
        rng = np.random.default_rng(seed)
        sizes = np.sort(rng.integers(0, ROWS // 2, lists))
        rows = [np.sort(rng.choice(ROWS, size, replace=False)) for size in sizes]
        self.indptr = frozen(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
        self.rows = frozen(np.concatenate(rows).astype(np.int32))
        impacts = rng.random(self.rows.size) + 0.01
        self.impacts = frozen((np.ceil(4 * impacts) if tied else impacts).astype(np.float32))
        self.terms = np.arange(lists)
        self.weights = np.ones(lists, np.float32) if tied else rng.random(lists).astype(np.float32)
        peaks = maxscore.peaks(self.indptr, self.impacts) * self.weights
        self.bounds = np.append(np.cumsum(peaks[::-1])[::-1], 0.0)

    def swept(
        self, k: int, live: NDArray[np.bool_] = NONE, allowed: NDArray[np.bool_] = NONE
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        docs, scores = np.empty(k, np.int32), np.empty(k, np.float32)
        size = sweep.search(
            self.indptr, self.rows, self.impacts, self.terms, self.weights, ROWS, live, allowed,
            docs, scores,
        )  # fmt: skip
        return docs[:size], scores[:size]

    def added_up(
        self, k: int, live: NDArray[np.bool_] = NONE, allowed: NDArray[np.bool_] = NONE
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        docs, scores = np.empty(k, np.int32), np.empty(k, np.float32)
        size = maxscore.search(
            self.indptr, self.rows, self.impacts, self.terms, self.weights, self.bounds, 0.0, live,
            allowed, frozen(np.empty(0, np.float32)), *maxscore.scratch(ROWS), docs, scores,
        )  # fmt: skip
        return docs[:size], scores[:size]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [1, 200, 3 * ROWS])
def test_the_same_rows_and_scores(k: int, seed: int) -> None:
    lists = Lists(12, seed)
    for ours, theirs in zip(lists.swept(k), lists.added_up(k), strict=True):
        assert np.array_equal(ours, theirs)


def test_ties_go_to_the_lower_row() -> None:
    lists = Lists(9, 4, tied=True)
    docs, scores = lists.swept(300)
    for ours, theirs in zip((docs, scores), lists.added_up(300), strict=True):
        assert np.array_equal(ours, theirs)
    same = scores[:-1] == scores[1:]
    assert same.any()
    assert (docs[:-1] < docs[1:])[same].all()


def test_hidden_rows_are_left_out() -> None:
    lists, rng = Lists(10, 5), np.random.default_rng(6)
    live, allowed = (frozen(rng.random(ROWS) < 0.5) for _ in range(2))
    docs, scores = lists.swept(500, live, allowed)
    assert (live & allowed)[docs].all()
    for ours, theirs in zip((docs, scores), lists.added_up(500, live, allowed), strict=True):
        assert np.array_equal(ours, theirs)


def test_it_pays_for_many_long_lists_of_positive_impacts() -> None:
    lists = Lists(sweep.MANY, 7)
    many = lists.rows.size
    assert sweep.pays(lists.weights, lists.bounds, many, ROWS)
    assert not sweep.pays(lists.weights[1:], lists.bounds[1:], many, ROWS)
    assert not sweep.pays(lists.weights, lists.bounds, ROWS // sweep.SHARE - 1, ROWS)
    assert not sweep.pays(lists.weights, lists.bounds, many, sweep.BLOCK)
    assert not sweep.pays(lists.weights, np.full_like(lists.bounds, np.inf), many, ROWS)
    assert not sweep.pays(np.zeros_like(lists.weights), lists.bounds, many, ROWS)
