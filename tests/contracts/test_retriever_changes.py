"""What every candidate generator must do when documents and clicks come and go."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

from retrievers.base import (
    Document,
    Learns,
    Merges,
    Outcome,
    Retriever,
)  # fmt: skip
from tests.contracts.retriever_cases import (
    DOCUMENTS,
    NOW,
    QUERIES,
    ROWS,
    answers,
    asked,
    assert_hits,
    change,
    clicks,
    rows_of,
)


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
