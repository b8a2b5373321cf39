"""The union against a dictionary of dictionaries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.base import Hits
from retrievers.candidates import Candidates, union


def hits(docs: list[int]) -> Hits:
    scores = np.arange(0, -len(docs), -1, dtype=np.float32) / np.float32(2)
    return Hits(np.array(docs, np.int32), scores)


def test_union_by_hand() -> None:
    found = union(("a", "b"), (3, 2), (hits([7, 2, 9]), hits([9, 4])))
    assert found.sources == ("a", "b")
    assert found.depths.tolist() == [3, 2]
    assert found.docs.tolist() == [2, 4, 7, 9]
    assert found.ranks.tolist() == [[1, -1], [-1, 1], [0, -1], [2, 0]]
    expected = np.array([[-0.5, np.nan], [np.nan, -0.5], [0, np.nan], [-1, 0]], np.float32)
    np.testing.assert_array_equal(found.scores, expected)
    assert len(found) == 4


@given(st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), max_size=5))
def test_union_equals_a_dictionary_of_dictionaries(lists: list[list[int]]) -> None:
    sources = tuple(f"g{i}" for i in range(len(lists)))
    found = union(sources, [len(docs) for docs in lists], [hits(docs) for docs in lists])

    naive: dict[int, dict[str, tuple[int, float]]] = {}
    for source, docs in zip(sources, lists, strict=True):
        for rank, doc in enumerate(docs):
            naive.setdefault(doc, {})[source] = (rank, -rank / 2)

    assert found.docs.dtype == found.ranks.dtype == found.depths.dtype == np.int32
    assert found.scores.dtype == np.float32
    assert found.docs.tolist() == sorted(naive)
    for i, doc in enumerate(found.docs.tolist()):
        for j, source in enumerate(sources):
            rank, score = naive[doc].get(source, (-1, np.nan))
            assert found.ranks[i, j] == rank
            np.testing.assert_array_equal(found.scores[i, j], score)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="found 2 sources, 1 depths and 1 hits"):
        union(("a", "b"), (1,), (hits([1]),))


@pytest.mark.parametrize("field", ["depths", "scores", "ranks"])
def test_wrong_shapes_are_refused(field: str) -> None:
    parts: dict[str, Any] = {
        "sources": ("a", "b"),
        "depths": np.zeros(2, np.int32),
        "docs": np.arange(3, dtype=np.int32),
        "scores": np.zeros((3, 2), np.float32),
        "ranks": np.zeros((3, 2), np.int32),
    }
    Candidates(**parts)
    with pytest.raises(ValueError, match=rf"Candidates\.{field}: found shape \(5, 5\), expected"):
        Candidates(**parts | {field: np.zeros((5, 5), np.int32)})
