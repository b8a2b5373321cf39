"""Selection against a full sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrievers.topk import best


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(-3, 3)), unique_by=lambda pair: pair[0]),
    st.integers(-1, 60),
)
def test_best_equals_a_full_sort(pairs: list[tuple[int, int]], k: int) -> None:
    docs = np.array([doc for doc, _ in pairs], np.int32)
    scores = np.array([score / 7 for _, score in pairs], np.float64)
    expected = sorted(((-score / 7, doc) for doc, score in pairs))[: max(k, 0)]
    found = best(docs, scores, k)
    assert found.docs.tolist() == [doc for _, doc in expected]
    assert found.scores.tolist() == [float(np.float32(-score)) for score, _ in expected]


def test_scores_that_differ_only_beyond_float32_tie() -> None:
    scores = np.array([1.0, 1.0 + 1e-12, 1.0 + 2e-12])
    assert best(np.array([4, 9, 2], np.int32), scores, 3).docs.tolist() == [2, 4, 9]


def test_strided_arrays_are_read_as_they_are() -> None:
    docs = np.arange(10, dtype=np.int32)[::2]
    assert best(docs, np.arange(10, dtype=np.float32)[::-2], 2).docs.tolist() == [0, 2]
