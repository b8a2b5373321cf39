"""What plans are chosen by: overlaps, and result counts that are known beforehand."""

from __future__ import annotations

import numpy as np

from engine.hindsight import answers
from engine.statistics import PlanStatistics
from retrievers.base import Hits

LADDER = (0, 2, 5)


def told() -> PlanStatistics:
    """Two generators that return five documents each, the first three of them shared."""
    lists = [np.array([0, 1, 2, 3, 4], np.int32), np.array([0, 1, 2, 8, 9], np.int32)]
    hits = [Hits(docs, np.linspace(1, 0.1, docs.size).astype(np.float32)) for docs in lists]
    statistics = PlanStatistics(2, LADDER)
    kept = answers(hits, np.zeros(10, np.int16), np.array(LADDER, np.int32))
    statistics.look_at([("words", kept)] * 1000)
    return statistics


def test_what_is_not_known_is_expected_of_the_kind() -> None:
    statistics = told()
    expected = statistics.overlap("words")
    np.testing.assert_allclose(np.einsum("ilil->il", expected), [[0, 2, 5], [0, 2, 5]], atol=0.1)
    assert abs(expected[0, 2, 1, 2] - 3.0) < 0.1
    unknown = statistics.overlap("words", np.full(2, np.inf))
    np.testing.assert_array_equal(unknown, expected)


def test_a_known_count_replaces_the_expected_one() -> None:
    shared = told().overlap("words", np.array([1.0, np.inf]))
    np.testing.assert_allclose(shared[0, :, 0, :], [[0, 0, 0], [0, 1, 1], [0, 1, 1]])
    np.testing.assert_allclose(np.einsum("ll->l", shared[1, :, 1, :]), [0, 2, 5], atol=0.1)
    # A fifth of the documents: by the geometric mean of both factors, √(1/5) of what is shared.
    assert abs(shared[0, 2, 1, 2] - 3.0 * np.sqrt(0.2)) < 0.1
    np.testing.assert_allclose(shared, shared.transpose(2, 3, 0, 1))


def test_a_generator_that_can_return_nothing_shares_nothing() -> None:
    shared = told().overlap("words", np.array([0.0, np.inf]))
    assert not shared[0].any()
    assert not shared[:, :, 0].any()
