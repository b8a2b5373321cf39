"""The dense generator: exactness, filters, ties, versions."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers import vectors
from retrievers.base import Describes, Document, Query
from retrievers.dense import Dense, document_text
from retrievers.embedding_cache import EmbeddingCache
from tests.dense_world import WORDS, Words, built, documents, filtered, same, truth

# --- the text of a document


def test_text_of_a_document() -> None:
    document = Document(
        "a",
        "Blue Train",
        "A record. " * 200,
        "album",
        {"artist": "John Coltrane", "genre": ["jazz"], "tags": ["jazz", "hard bop"], "year": 1957},
    )
    text = document_text(document)
    assert text.startswith("Blue Train. John Coltrane. album. jazz, hard bop. A record. A record.")
    assert len(text) < 1100
    assert document_text(Document("b", " One ")) == "One"
    assert document_text(Document("c")) == ""


# --- the exact answer


@pytest.mark.usefixtures("small_delta")
@pytest.mark.parametrize("parts", [1, 3, 20])
def test_the_answer_is_the_exact_ranking_however_it_was_added(parts: int) -> None:
    count = 200
    dense = built(count, parts=parts)
    index = dense.index
    assert index is not None
    assert index.base is not None
    for text in ("rain", "love night", "unheard words"):
        expected = truth([document.title for document in documents(count)], text)
        for k in (1, 7, 50, count, 10 * count):
            assert same(dense.retrieve(Query(text), k), expected.top(k))


@pytest.mark.usefixtures("small_delta")
def test_equal_documents_tie_by_row_across_base_and_delta() -> None:
    dense = Dense(Words())
    for rows in np.split(np.arange(90, dtype=np.int32), [60]):
        dense.add(rows, [Document(str(row), "blue road") for row in rows])
    index = dense.index
    assert index is not None
    assert index.base is not None
    assert len(index.delta) == 30
    hits = dense.retrieve(Query("blue road train"), 75)
    assert hits.docs.tolist() == list(range(75))
    assert len(set(hits.scores.tolist())) == 1


@given(
    st.integers(1, 120),
    st.integers(1, 5),
    st.integers(1, 130),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_filters_and_removals_drop_rows_from_the_full_ranking(
    count: int, parts: int, k: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "DELTA_ROWS", 30)
        dense = built(count, seed=seed, parts=parts)
        expected = truth([document.title for document in documents(count, seed)], "sun gold")
        allowed = rng.random(count) < share
        gone = rng.random(count) < 0.2
        query = Query("sun gold")
        assert same(dense.retrieve(query, k, allowed), filtered(expected, allowed).top(k))
        dense.remove(np.flatnonzero(gone).astype(np.int32))
        assert same(dense.retrieve(query, k), filtered(expected, ~gone).top(k))
        assert same(dense.retrieve(query, k, allowed), filtered(expected, allowed & ~gone).top(k))
        # Enough new rows to rebuild the index, now without the removed ones.
        dense.add(np.arange(count, count + 31, dtype=np.int32), [Document("x", "far away")] * 31)
        allowed = np.concatenate([allowed, np.zeros(31, np.bool_)])
        assert same(
            dense.retrieve(query, k, allowed), filtered(expected, allowed[:count] & ~gone).top(k)
        )


def test_rows_may_have_gaps() -> None:
    dense = Dense(Words())
    rows = np.array([3, 10, 11], np.int32)
    dense.add(rows, [Document("a", "rain"), Document("b", "sun"), Document("c", "rain")])
    assert dense.retrieve(Query("rain"), 2).docs.tolist() == [3, 11]
    allowed = np.zeros(20, np.bool_)
    allowed[[5, 10, 11]] = True
    assert sorted(dense.retrieve(Query("rain"), 9, allowed).docs.tolist()) == [10, 11]


def test_queries_without_words_and_indexes_without_rows() -> None:
    dense = built(5)
    for text in ("", "   ", "\t\n"):
        assert len(dense.retrieve(Query(text), 5)) == 0
        assert np.isnan(dense.similarity(Query(text), np.arange(5, dtype=np.int32))).all()
    empty = Dense(Words())
    assert len(empty.retrieve(Query("rain"), 5)) == 0
    assert np.isnan(empty.similarity(Query("rain"), np.arange(2, dtype=np.int32))).all()
    empty.remove(np.array([1], np.int32))
    empty.add(np.empty(0, np.int32), [])
    assert len(dense.retrieve(Query("rain"), 0)) == 0


@pytest.mark.usefixtures("small_delta")
def test_many_equals_one_to_the_byte() -> None:
    for dense in (built(300, parts=4), built(300, parts=4, exact_rows=100)):
        queries = [Query(text) for text in (*WORDS * 4, "", "sun sun rain", "road blue")]
        allowed = np.random.default_rng(1).random(300) < 0.7
        for mask in (None, allowed):
            many = dense.retrieve_many(queries, 20, mask)
            assert len(many) == len(queries)
            for query, hits in zip(queries, many, strict=True):
                assert same(hits, dense.retrieve(query, 20, mask))


# --- similarity


@pytest.mark.usefixtures("small_delta")
@pytest.mark.parametrize("exact_rows", [50, 50_000])
def test_similarity_is_the_score_for_any_row(exact_rows: int) -> None:
    dense = built(200, parts=8, exact_rows=exact_rows)
    dense.remove(np.array([7], np.int32))
    query = Query("night train")
    hits = dense.retrieve(query, 20)
    assert (dense.similarity(query, hits.docs) == hits.scores).all()
    expected = truth([document.title for document in documents(200)], query.text)
    docs = np.array([199, 0, 7, 5, 5, 4000, -1], np.int32)
    found = dense.similarity(query, docs)
    assert found.dtype == np.float32
    assert np.isnan(found).tolist() == [False, False, True, False, False, True, True]
    by_row = dict(zip(expected.docs.tolist(), expected.scores.tolist(), strict=True))
    assert found[[0, 1, 3, 4]].tolist() == [by_row[row] for row in (199, 0, 5, 5)]
    assert isinstance(dense, Describes)
    assert dense.feature_names == ("cosine",)
    described = dense.describe(query, docs)
    assert described.shape == (7, 1)
    assert described[:, 0].tobytes() == found.tobytes()


# --- versions


@pytest.mark.usefixtures("small_delta")
@pytest.mark.parametrize("exact_rows", [60, 50_000])
def test_a_copy_goes_on_answering_as_before(exact_rows: int) -> None:
    dense = built(100, exact_rows=exact_rows)
    queries = [Query(word) for word in WORDS]
    copies, answers = [], []
    for step in range(4):
        copies.append(copy.copy(dense))
        answers.append(dense.retrieve_many(queries, 30))
        first = 100 + 30 * step
        rows = np.arange(first, first + 30, dtype=np.int32)
        dense.add(rows, [Document("n", "rain sun love")] * 30)
        dense.remove(np.array([step, first], np.int32))
    for former, expected in zip(copies, answers, strict=True):
        assert all(map(same, former.retrieve_many(queries, 30), expected))
    assert 100 not in dense.retrieve(Query("rain sun love"), 200).docs


def test_rows_must_ascend_and_match_their_documents() -> None:
    dense = built(5)
    for rows in ([4, 6], [7, 6], [6, 6]):
        with pytest.raises(ValueError, match="ascending rows above 4"):
            dense.add(np.array(rows, np.int32), documents(2))
    with pytest.raises(ValueError, match="1 rows for 2 documents"):
        dense.add(np.array([5], np.int32), documents(2))
    with pytest.raises(ValueError, match=r"found shape \(3,\).*at least \(5,\)"):
        dense.retrieve(Query("rain"), 2, np.ones(3, np.bool_))
    with pytest.raises(ValueError, match="exact_rows"):
        Dense(Words(), exact_rows=-1)


# --- embeddings are not made twice


def test_building_again_over_unchanged_texts_encodes_nothing(tmp_path: Path) -> None:
    first = Words()
    rows = np.arange(40, dtype=np.int32)
    Dense(first, cache=tmp_path).add(rows, documents(40))
    titles = {document.title for document in documents(40)}
    assert sorted(first.asked) == sorted(titles)
    again = Words()
    dense = Dense(again, cache=EmbeddingCache(tmp_path))
    dense.add(rows, documents(40))
    assert again.asked == []
    assert same(dense.retrieve(Query("rain"), 40), built(40).retrieve(Query("rain"), 40))


def test_a_repeated_query_is_encoded_once_by_all_copies() -> None:
    dense = built(5)
    other = copy.copy(dense)
    encoder = dense.encoder
    assert isinstance(encoder, Words)
    before = len(encoder.asked)
    for retriever in (dense, other, dense):
        retriever.retrieve(Query("rain"), 3)
        retriever.similarity(Query("rain"), np.arange(5, dtype=np.int32))
    assert encoder.asked[before:] == ["rain"]
