"""What every candidate generator must do: each concrete `Retriever` in `retrievers` is found here.

A generator takes part by existing: it is built by its defaults, given one small catalogue and,
where it learns, some outcomes.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import retrievers
from retrievers.base import (
    Context,
    Describes,
    Docs,
    Document,
    Learns,
    Merges,
    Outcome,
    Query,
    Retriever,
)  # fmt: skip
from tests.contracts.retriever_cases import (
    DOCUMENTS,
    NOW,
    QUERIES,
    ROWS,
    asked,
    assert_hits,
    clicks,
)


def _found() -> list[type[Retriever]]:
    for module in pkgutil.walk_packages(retrievers.__path__, "retrievers."):
        importlib.import_module(module.name)

    found, pending = set(), Retriever.__subclasses__()
    while pending:
        cls = pending.pop()
        pending.extend(cls.__subclasses__())
        if cls.__module__.startswith("retrievers.") and not inspect.isabstract(cls):
            found.add(cls)
    return sorted(found, key=lambda cls: cls.__qualname__)


RETRIEVERS = _found()


def rows_of(documents: list[Document], start: int = 0) -> Docs:
    return np.arange(start, start + len(documents), dtype=np.int32)


def built(cls: type[Retriever]) -> Retriever:
    retriever = cls()
    retriever.add(rows_of(DOCUMENTS), DOCUMENTS)
    if isinstance(retriever, Learns):
        retriever.observe(clicks())
    return retriever


@pytest.fixture(scope="module", params=RETRIEVERS, ids=lambda cls: cls.__name__)
def original(request: pytest.FixtureRequest) -> Retriever:
    """Built once for each class; only copies of it are changed."""
    cls: type[Retriever] = request.param
    return built(cls)


@pytest.fixture
def retriever(original: Retriever) -> Retriever:
    return copy.copy(original)


Answer = list[tuple[bytes, bytes]]


def answers(retriever: Retriever, k: int = ROWS + 10) -> Answer:
    found = (retriever.retrieve(query, k) for query in QUERIES)
    return [(hits.docs.tobytes(), hits.scores.tobytes()) for hits in found]


def change(retriever: Retriever) -> None:
    """Everything that changes a generator, once."""
    later = [Document("n1", "Love", "love"), Document("n2", "Night Love Train")]
    retriever.add(rows_of(later, ROWS), later)
    if isinstance(retriever, Learns):
        retriever.observe(clicks(first=3))
    retriever.remove(np.array([0, 10, 11], np.int32))


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


def test_removed_rows_vanish(retriever: Retriever) -> None:
    shown = {doc for query in QUERIES for doc in retriever.retrieve(query, 3).docs.tolist()}
    retriever.remove(np.array(sorted(shown), np.int32))
    for query in QUERIES:
        hits = retriever.retrieve(query, ROWS)
        assert_hits(hits, ROWS)
        assert not shown & set(hits.docs.tolist())


def test_all_rows_can_be_removed_and_others_added(retriever: Retriever) -> None:
    retriever.remove(np.arange(ROWS, dtype=np.int32))
    assert all(len(retriever.retrieve(query, 5)) == 0 for query in QUERIES)
    change_after = [Document("n", "Zyzzyva")]
    retriever.add(np.array([ROWS], np.int32), change_after)
    assert set(retriever.retrieve(asked("zyzzyva"), 5).docs.tolist()) <= {ROWS}


def test_added_rows_are_found(retriever: Retriever) -> None:
    new = [Document("n1", "Zyzzyva Quixotic"), Document("n2", "Something else")]
    retriever.add(np.array([ROWS, ROWS + 4], np.int32), new)
    query = asked("zyzzyva quixotic", "u1")
    if isinstance(retriever, Learns):
        click = Outcome(query, ROWS, "click", 1.0, "u1", NOW + 40_000, 1)
        retriever.observe([click])
    allowed = np.zeros(ROWS + 5, np.bool_)
    allowed[ROWS] = True
    # One generator returns what the user has, another what only others have.
    found = []
    for user in ("u1", "u2"):
        hits = retriever.retrieve(asked(query.text, user), ROWS + 5)
        assert_hits(hits, ROWS + 5, ROWS + 5)
        alone = retriever.retrieve(asked(query.text, user), 5, allowed)
        assert (ROWS in hits.docs) == (alone.docs.tolist() == [ROWS])
        found.append(ROWS in hits.docs)
    assert any(found)


def test_adding_and_removing_nothing_changes_nothing(retriever: Retriever) -> None:
    before = answers(retriever)
    retriever.add(np.empty(0, np.int32), [])
    retriever.remove(np.empty(0, np.int32))
    assert answers(retriever) == before


def test_a_copy_goes_on_as_before(retriever: Retriever) -> None:
    kept, before = copy.copy(retriever), answers(retriever)
    change(retriever)
    changed = answers(retriever)
    assert changed != before
    assert answers(kept) == before
    change(kept)
    assert answers(retriever) == changed
    assert answers(kept) == changed


def test_save_and_load_give_the_same_bytes(retriever: Retriever, tmp_path: Path) -> None:
    change(retriever)
    retriever.save(tmp_path)
    loaded = type(retriever).load(tmp_path)
    assert answers(loaded) == answers(retriever)
    assert not list(tmp_path.rglob("*.pkl"))
    # What is loaded learns and changes as what was saved.
    more = [Document("m", "Love Zyzzyva")]
    for each in (loaded, retriever):
        each.add(np.array([ROWS + 2], np.int32), more)
        if isinstance(each, Learns):
            each.observe(clicks(first=5))
        each.remove(np.array([20], np.int32))
    assert answers(loaded) == answers(retriever)


def test_merges_between_changes(retriever: Retriever, tmp_path: Path) -> None:
    if not isinstance(retriever, Merges):
        pytest.skip("has nothing to merge")
    gone = np.array([0, 10, 11], np.int32)
    retriever.remove(gone)
    retriever.merge()
    later = [Document(f"n{i}", f"Night Love {i}") for i in range(ROWS)]
    retriever.add(rows_of(later, ROWS), later)
    retriever.merge()
    retriever.save(tmp_path)
    loaded = type(retriever).load(tmp_path)
    more = [Document("m", "Love Zyzzyva")]
    for each in (retriever, loaded):
        each.add(np.array([2 * ROWS], np.int32), more)
        each.remove(np.array([20], np.int32))
        each.merge()
    assert answers(loaded, 3 * ROWS) == answers(retriever, 3 * ROWS)
    if isinstance(retriever, Learns):
        return
    at_once, all_ = type(retriever)(), [*DOCUMENTS, *later, *more]
    left = np.setdiff1d(np.arange(len(all_), dtype=np.int32), [*gone, 20])
    at_once.add(left, [all_[row] for row in left.tolist()])
    for query in QUERIES:
        found, expected = (r.retrieve(query, 3 * ROWS) for r in (retriever, at_once))
        assert found.docs.tolist() == expected.docs.tolist()
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)


def test_an_empty_generator_answers_nothing(original: Retriever, tmp_path: Path) -> None:
    empty = type(original)()
    empty.save(tmp_path)
    for each in (empty, type(original).load(tmp_path)):
        for query in QUERIES:
            assert len(each.retrieve(query, 5)) == 0
            assert len(each.retrieve(query, 5, np.empty(0, np.bool_))) == 0
    empty.add(rows_of(DOCUMENTS), DOCUMENTS)
    assert_hits(empty.retrieve(asked("love"), 5), 5)


def test_documents_may_come_in_pieces(original: Retriever) -> None:
    pieces = type(original)()
    for start in range(0, ROWS, 25):
        documents = DOCUMENTS[start : start + 25]
        pieces.add(rows_of(documents, start), documents)
    if isinstance(pieces, Learns):
        pieces.observe(clicks())
    for query in QUERIES:
        hits = pieces.retrieve(query, ROWS)
        assert_hits(hits, ROWS)
        assert set(hits.docs.tolist()) == set(original.retrieve(query, ROWS).docs.tolist())


def test_observing_nothing_changes_nothing(retriever: Retriever) -> None:
    if not isinstance(retriever, Learns):
        pytest.skip("does not learn")
    before = answers(retriever)
    retriever.observe([])
    assert answers(retriever) == before


def test_observing_changes_what_is_returned(retriever: Retriever) -> None:
    if not isinstance(retriever, Learns):
        pytest.skip("does not learn")
    before = answers(retriever)
    retriever.observe(clicks(first=29))
    assert answers(retriever) != before


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
