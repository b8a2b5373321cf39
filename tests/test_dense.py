"""The dense generator: exactness, filters, ties, versions, persistence, approximation."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retrievers import minilm, vectors
from retrievers.approximate import train
from retrievers.base import Describes, Document, Hits, Query
from retrievers.dense import Dense, document_text
from retrievers.embedding_cache import EmbeddingCache
from retrievers.encoder import on_grid

Floats = NDArray[np.float32]
DIM = 24


class Words:
    """The sum of a fixed random direction for each word."""

    identity = "words"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: list[str], /) -> Floats:
        self.asked += texts
        return np.array([self.one(text) for text in texts], np.float32)

    @staticmethod
    def one(text: str) -> Floats:
        total = np.zeros(DIM, np.float32)
        for word in text.split():
            total += np.frombuffer(hashlib.shake_128(word.encode()).digest(DIM), np.int8)
        return total


WORDS = ["rain", "sun", "love", "night", "train", "road", "blue", "gold"]


def documents(count: int, seed: int = 0) -> list[Document]:
    """Titles of one to three of a few words, so that many are equal."""
    rng = np.random.default_rng(seed)
    return [
        Document(f"d{i}", " ".join(rng.choice(WORDS, rng.integers(1, 4)))) for i in range(count)
    ]


def built(count: int, *, seed: int = 0, parts: int = 1, exact_rows: int = 50_000) -> Dense:
    dense = Dense(Words(), exact_rows=exact_rows)
    all_documents = documents(count, seed)
    for rows in np.array_split(np.arange(count, dtype=np.int32), parts):
        dense.add(rows, [all_documents[row] for row in rows])
    return dense


def truth(texts: Sequence[str], query: str) -> Hits:
    """The full ranking, in the arithmetic of float64."""
    encoder = Words()
    stored = on_grid(encoder.encode(list(texts))).astype(np.float64)
    scores = stored @ on_grid(encoder.encode([query]))[0].astype(np.float64)
    order = np.lexsort((np.arange(len(texts)), -scores))
    return Hits(order.astype(np.int32), scores[order].astype(np.float32))


def same(found: Hits, expected: Hits) -> bool:
    return (
        found.docs.tobytes() == expected.docs.tobytes()
        and found.scores.tobytes() == expected.scores.tobytes()
    )


def filtered(hits: Hits, allowed: NDArray[np.bool_]) -> Hits:
    keep = allowed[hits.docs]
    return Hits(hits.docs[keep], hits.scores[keep])


@pytest.fixture
def small_delta(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows outside the FAISS index that both parts take part in small tests."""
    monkeypatch.setattr(vectors, "DELTA_ROWS", 40)


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


# --- the approximate index


def clustered(count: int, seed: int) -> NDArray[np.float16]:
    """Overlapping clusters of all sizes."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((60, 48))
    of = (rng.random(count) ** 2 * 60).astype(np.intp)
    return on_grid(centres[of] + 1.2 * rng.standard_normal((count, 48)))


class Planted:
    """Texts are numbers of vectors."""

    def __init__(self, stored: NDArray[np.float16]) -> None:
        self.stored = stored

    def encode(self, texts: list[str], /) -> Floats:
        return self.stored[[int(text) for text in texts]].astype(np.float32)


@pytest.fixture(scope="module")
def approximate() -> Dense:
    count = 6000
    dense = Dense(Planted(clustered(count + 100, 0)), exact_rows=2000, seed=3)
    dense.add(np.arange(count, dtype=np.int32), [Document("x", str(i)) for i in range(count)])
    return dense


def exactly(dense: Dense, text: str, allowed: NDArray[np.bool_] | None = None) -> Floats:
    scores = dense.similarity(Query(text), np.arange(6000, dtype=np.int32))
    return np.sort(scores if allowed is None else scores[allowed])[::-1]


def test_recall_of_the_approximate_index_on_unseen_queries(approximate: Dense) -> None:
    index = approximate.index
    assert index is not None
    assert index.base is not None
    assert isinstance(index.base.index, faiss.IndexIVF)
    assert index.base.probes < index.base.index.nlist / 2
    assert 0.95 <= approximate.recall <= 1
    recalls = []
    for text in map(str, range(6000, 6100)):
        hits = approximate.retrieve(Query(text), 100)
        recalls.append((hits.scores >= exactly(approximate, text)[99]).mean())
        assert (approximate.similarity(Query(text), hits.docs) == hits.scores).all()
    assert np.mean(recalls) >= 0.95


def test_the_approximate_answer_is_a_prefix_of_any_longer_one(approximate: Dense) -> None:
    longest = approximate.retrieve(Query("6001"), 10_000)
    assert 100 < len(longest) < 6000
    for k in (1, 10, 99, 1000):
        assert same(approximate.retrieve(Query("6001"), k), longest.top(k))


def test_filters_of_the_approximate_index(approximate: Dense) -> None:
    rng = np.random.default_rng(0)
    query = Query("6002")
    allowed = rng.random(6000) < 0.6
    full = approximate.retrieve(query, 6000)
    assert same(approximate.retrieve(query, 6000, allowed), filtered(full, allowed))
    rare = np.zeros(6000, np.bool_)
    rare[rng.choice(6000, 25, replace=False)] = True
    hits = approximate.retrieve(query, 100, rare)
    assert hits.scores.tolist() == exactly(approximate, "6002", rare).tolist()
    assert len(approximate.retrieve(query, 5, np.zeros(6000, np.bool_))) == 0


def test_training_repeats_to_the_byte(approximate: Dense) -> None:
    stored = clustered(3000, 5)
    (one, *figures), (two, *again) = train(stored, 7), train(stored, 7)
    assert figures == again
    queries = stored[:50].astype(np.float32)
    for found, expected in zip(one.search(queries, 200), two.search(queries, 200), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_index_grows_past_its_exact_size_and_is_trained_anew_at_twice_that() -> None:
    stored = clustered(9000, 2)
    dense = Dense(Planted(stored), exact_rows=2000)
    trained = []
    for rows in np.array_split(np.arange(9000, dtype=np.int32), 6):
        dense.add(rows, [Document("x", str(row)) for row in rows])
        assert dense.index is not None
        assert dense.index.base is not None
        trained.append(dense.index.base.trained)
    assert trained == [0, 3000, 3000, 3000, 7500, 7500]
    hits = dense.retrieve(Query("8999"), 50)
    assert hits.docs[0] == 8999


# --- on disk


@pytest.mark.usefixtures("small_delta")
@pytest.mark.parametrize("exact_rows", [60, 50_000])
def test_a_loaded_index_answers_to_the_byte(tmp_path: Path, exact_rows: int) -> None:
    dense = built(150, parts=15, exact_rows=exact_rows)
    dense.remove(np.array([3, 149], np.int32))
    dense.save(tmp_path)
    loaded = Dense.load(tmp_path, Words())
    assert loaded.recall == dense.recall
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["index"]["recall_at_100"] == dense.recall
    more = np.arange(150, 230, dtype=np.int32)
    for _ in range(2):
        for word in WORDS:
            assert same(loaded.retrieve(Query(word), 60), dense.retrieve(Query(word), 60))
        for either in (dense, loaded):
            either.add(more, documents(80, seed=9))
        more += 80


def test_an_empty_index_is_saved_too(tmp_path: Path) -> None:
    Dense(Words()).save(tmp_path)
    loaded = Dense.load(tmp_path, Words())
    assert len(loaded.retrieve(Query("rain"), 5)) == 0
    loaded.add(np.array([0], np.int32), documents(1))
    assert len(loaded.retrieve(Query("rain"), 5)) == 1


def other_text(document: Document) -> str:
    return document.title


def test_what_load_refuses(tmp_path: Path) -> None:
    dense = built(30)
    dense.save(tmp_path)
    with pytest.raises(ValueError, match=r"encoder 'words', expected 'all-MiniLM-L6-v2@"):
        Dense.load(tmp_path)
    with pytest.raises(ValueError, match=r"text 'retrievers\.dense\.document_text', expected"):
        Dense.load(tmp_path, Words(), text=other_text)
    np.save(tmp_path / "rows.npy", np.arange(29, dtype=np.int32))
    with pytest.raises(ValueError, match="different saves"):
        Dense.load(tmp_path, Words())
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 0'))
    with pytest.raises(ValueError, match="another version"):
        Dense.load(tmp_path, Words())


def test_an_encoder_of_another_width_is_named() -> None:
    dense = Dense(Planted(np.eye(4, dtype=np.float16)))
    dense.add(np.array([0], np.int32), [Document("a", "1")])
    encoder = dense.encoder
    assert isinstance(encoder, Planted)
    encoder.stored = np.eye(5, dtype=np.float16)
    with pytest.raises(ValueError, match="5 dimensions, expected 4"):
        dense.retrieve(Query("0"), 1)
    with pytest.raises(ValueError, match="5 dimensions, expected 4"):
        dense.add(np.array([1], np.int32), [Document("b", "2")])


# --- with the default encoder


def test_the_default_encoder_is_loaded_when_needed_and_named_in_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(minilm.PACKAGE, reason="needs the extra `minilm`")
    dense = Dense()
    titles = ["Thunderstruck", "Rainy Days and Mondays", "Walking on Sunshine", "Cello Suite No. 1"]
    dense.add(np.arange(4, dtype=np.int32), [Document(str(i), t) for i, t in enumerate(titles)])
    assert dense.retrieve(Query("songs about wet weather"), 1).docs.tolist() == [1]
    assert dense.retrieve(Query("classical strings"), 1).docs.tolist() == [3]
    dense.save(tmp_path)

    def unwanted() -> Path:
        raise AssertionError("load must not read the model")

    with monkeypatch.context() as patch:
        patch.setattr(minilm, "packaged_model", unwanted)
        loaded = Dense.load(tmp_path)
    query = Query("a happy tune")
    assert same(loaded.retrieve(query, 4), dense.retrieve(query, 4))
