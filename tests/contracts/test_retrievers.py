"""What every candidate generator must do when it is asked: each concrete `Retriever` in `retrievers` is
found here.

A generator takes part by existing: it is built by its defaults, given one small catalogue and,
where it learns, some outcomes. `test_retriever_changes.py` is about what changes it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrievers.base import (
    Context,
    Describes,
    Query,
    Retriever,
)  # fmt: skip
from tests.contracts.retriever_cases import (
    QUERIES,
    RETRIEVERS,
    ROWS,
    answers,
    asked,
    assert_hits,
    built,
)


def test_generators_are_found_and_their_names_differ() -> None:
    names = [cls.name for cls in RETRIEVERS]
    assert {"bm25", "fuzzy"} <= set(names)
    assert len(set(names)) == len(names)
    assert all(isinstance(name, str) and name for name in names)


@pytest.mark.parametrize("k", [0, 1, 3, 10, ROWS, 10 * ROWS])
def test_hits_are_sorted_finite_distinct_and_at_most_k(retriever: Retriever, k: int) -> None:
    for query in QUERIES:
        assert_hits(retriever.retrieve(query, k), k)


def test_something_is_found(retriever: Retriever) -> None:
    assert len(retriever.retrieve(asked("love", "u1"), 10)) > 0


def test_the_first_k_of_a_larger_k(retriever: Retriever) -> None:
    for query in QUERIES:
        full = retriever.retrieve(query, ROWS)
        for k in (1, 2, 5, 20):
            first = retriever.retrieve(query, k)
            assert first.docs.tolist() == full.docs[:k].tolist()
            assert first.scores.tobytes() == full.scores[:k].tobytes()


def test_the_same_state_and_question_give_the_same_bytes(original: Retriever) -> None:
    assert answers(original) == answers(original)
    assert answers(built(type(original))) == answers(original)


def test_threads_do_not_disturb_each_other(retriever: Retriever) -> None:
    alone = answers(retriever)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: answers(retriever), range(8)))
    assert all(answer == alone for answer in together)


def test_allowed_is_the_full_ranking_with_the_others_dropped(retriever: Retriever) -> None:
    rng = np.random.default_rng(5)
    masks = [np.zeros(ROWS, np.bool_), np.ones(ROWS, np.bool_)]
    masks += [rng.random(ROWS) < share for share in (0.05, 0.3, 0.9)]
    for query in QUERIES:
        full = retriever.retrieve(query, ROWS)
        for allowed in masks:
            kept = allowed[full.docs]
            for k in (1, 4, ROWS):
                hits = retriever.retrieve(query, k, allowed)
                assert hits.docs.tolist() == full.docs[kept][:k].tolist()
                assert hits.scores.tobytes() == full.scores[kept][:k].tobytes()


def test_a_batch_equals_single_queries(retriever: Retriever) -> None:
    allowed = np.arange(ROWS) % 3 > 0
    for mask in (None, allowed):
        batch = retriever.retrieve_many(QUERIES, 7, mask)
        assert len(batch) == len(QUERIES)
        for query, hits in zip(QUERIES, batch, strict=True):
            single = retriever.retrieve(query, 7, mask)
            assert hits.docs.tolist() == single.docs.tolist()
            np.testing.assert_allclose(hits.scores, single.scores, rtol=1e-6)
    assert retriever.retrieve_many([], 7) == []


def test_no_more_is_returned_than_was_told(retriever: Retriever) -> None:
    for query in QUERIES:
        assert len(retriever.retrieve(query, 10 * ROWS)) <= retriever.at_most(query)


@pytest.mark.parametrize("cls", [cls for cls in RETRIEVERS if cls.by_text])
def test_a_generator_by_text_heeds_nothing_else(cls: type[Retriever]) -> None:
    retriever = built(cls)
    for query in QUERIES:
        other = Query(query.text, Context(user="u2", locale="de"), typed="björk")
        one, two = (retriever.retrieve(each, ROWS) for each in (query, other))
        assert one.docs.tobytes() == two.docs.tobytes()
        assert one.scores.tobytes() == two.scores.tobytes()


def test_descriptions_have_their_shape(retriever: Retriever) -> None:
    if not isinstance(retriever, Describes):
        pytest.skip("describes nothing")
    names = retriever.feature_names
    assert len(set(names)) == len(names) > 0
    for query in QUERIES:
        for docs in (np.arange(ROWS, dtype=np.int32), np.empty(0, np.int32)):
            features = retriever.describe(query, docs)
            assert features.shape == (docs.size, len(names))
            assert features.dtype == np.float32
            assert not np.isinf(features).any()
