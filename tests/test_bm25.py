"""BM25 against rank_bm25, which defines its scores, and what it adds to that definition."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from retrievers.analysis import ENGLISH_STOPWORDS, Analyzer
from retrievers.base import Document, Query
from retrievers.bm25 import BM25, metadata_texts
from retrievers.phrases import value_term, value_terms

DATA = Path(os.environ.get("LTRR_DATA", Path(__file__).parents[2] / "shared" / "data"))
TITLE = {"title": 1.0}

some_words = st.lists(st.sampled_from("abcdefg"), max_size=8)


def titled(texts: Sequence[str]) -> list[Document]:
    return [Document(str(i), text) for i, text in enumerate(texts)]


def indexed(documents: list[Document], **options: Any) -> BM25:
    index = BM25(**options)
    index.add(np.arange(len(documents), dtype=np.int32), documents)
    return index


def titles_found(index: BM25, text: str, documents: list[Document]) -> list[str]:
    return [documents[doc].id for doc in index.retrieve(Query(text), 10).docs]


def assert_okapi(index: BM25, corpus: list[list[str]], query: list[str]) -> None:
    """Every document with a word of the query has its score by rank_bm25; no other is returned."""
    expected = BM25Okapi(corpus).get_scores(query)
    hits = index.retrieve(Query(" ".join(query)), len(corpus))
    holding = [row for row, words in enumerate(corpus) if set(words) & set(query)]
    assert sorted(hits.docs.tolist()) == holding
    np.testing.assert_allclose(hits.scores, expected[hits.docs], rtol=1e-5, atol=1e-5)


@given(st.lists(some_words, min_size=1, max_size=12).filter(any), some_words)
def test_scores_are_those_of_rank_bm25(corpus: list[list[str]], query: list[str]) -> None:
    index = indexed(titled([" ".join(words) for words in corpus]), weights=TITLE)
    assert_okapi(index, corpus, query)


@given(st.lists(st.tuples(some_words, some_words), min_size=1, max_size=8), some_words)
def test_a_weight_of_two_counts_a_word_twice(
    corpus: list[tuple[list[str], list[str]]], query: list[str]
) -> None:
    bags = [title * 2 + text for title, text in corpus]
    if not any(bags):
        return
    documents = [Document("", " ".join(title), " ".join(text)) for title, text in corpus]
    assert_okapi(indexed(documents, weights={"title": 2.0, "text": 1.0}), bags, query)


@given(
    st.lists(some_words, min_size=3, max_size=12).filter(lambda corpus: any(corpus[2:])),
    st.sets(st.integers(0, 1)),
    some_words,
)
def test_after_a_merge_statistics_are_exact(
    corpus: list[list[str]], removed: set[int], query: list[str]
) -> None:
    documents = titled([" ".join(words) for words in corpus])
    index = BM25(weights=TITLE)
    for row, document in enumerate(documents):
        index.add(np.array([row], np.int32), [document])
    index.remove(np.array(sorted(removed), np.int32))
    index.merge()
    kept = [row for row in range(len(corpus)) if row not in removed]
    fresh = indexed([documents[row] for row in kept], weights=TITLE)
    hits, expected = (each.retrieve(Query(" ".join(query)), 20) for each in (index, fresh))
    assert hits.docs.tolist() == [kept[doc] for doc in expected.docs]
    np.testing.assert_allclose(hits.scores, expected.scores, rtol=1e-6)


def zipf(rng: np.random.Generator, documents: int, words: int) -> list[str]:
    chances = 1.0 / np.arange(1, words + 1)
    drawn = rng.choice(words, (documents, 6), p=chances / chances.sum())
    return [" ".join(f"w{word}" for word in row) for row in drawn]


@pytest.mark.parametrize("popular", [False, True])
def test_skipping_long_lists_never_changes_the_answer(popular: bool) -> None:
    rng = np.random.default_rng(7)
    texts = zipf(rng, 20_000, 3000)
    popularity = rng.pareto(1.0, len(texts)).tolist() if popular else [None] * len(texts)
    documents = [
        Document("", text, metadata={"popularity": value})
        for text, value in zip(texts, popularity, strict=True)
    ]
    index = indexed(documents[:19_000], weights=TITLE)
    index.add(np.arange(19_000, 20_000, dtype=np.int32), documents[19_000:])
    index.remove(np.arange(0, 20_000, 17, dtype=np.int32))
    allowed = rng.random(len(texts)) < 0.5
    asked = [("w0", "w900"), ("w0", "w1", "w2"), ("w0", "w1", "w40", "w2000"), ("w3", "w3", "w1")]
    asked += [tuple(f"w{word}" for word in rng.integers(0, 60, 4)) for _ in range(20)]
    for words in asked:
        query = Query(" ".join(words))
        for mask in (None, allowed):
            everything = index.retrieve(query, len(texts), mask)
            for k in (1, 10, 100):
                hits = index.retrieve(query, k, mask)
                assert hits.docs.tolist() == everything.docs[:k].tolist()
                assert hits.scores.tobytes() == everything.scores[:k].tobytes()


def test_a_small_delta_keeps_the_statistics_of_the_base() -> None:
    texts = ["common rare"] + ["common word"] * 30 + ["other thing"] * 60
    index = indexed(titled(texts), weights=TITLE)
    before = index.retrieve(Query("rare"), 5)
    index.add(np.array([91, 92], np.int32), titled(["rare common", "brand new"]))
    after = index.retrieve(Query("rare"), 5)
    assert after.docs.tolist() == [0, 91]
    assert after.scores.tolist() == [before.scores[0]] * 2
    assert index.retrieve(Query("brand"), 5).docs.tolist() == [92]
    assert index.document_frequency("rare brand common").tolist() == [2, 1, 32]
    index.merge()
    assert index.retrieve(Query("rare"), 5).scores[0] < before.scores[0]


def test_document_frequency_is_by_token() -> None:
    index = indexed(titled(["a b", "a c", "a a"]))
    assert index.document_frequency("b A zz a").tolist() == [1, 3, 0, 3]
    assert index.document_frequency("").tolist() == []
    assert index.document_frequency("a").dtype == np.int32


def test_of_one_title_the_more_popular_comes_first() -> None:
    popularities = (3, 90.5, None, "many", -5, float("nan"), 40)
    documents = [
        Document(str(i), "Hallelujah", metadata={"popularity": popularity})
        for i, popularity in enumerate(popularities)
    ]
    index = indexed([*documents, Document("7", "Something Else")])
    assert index.retrieve(Query("hallelujah"), 9).docs.tolist() == [1, 6, 0, 2, 3, 4, 5]
    # The median popularity, 40, gains half the prior's weight.
    scores = index.retrieve(Query("hallelujah"), 9).scores
    assert scores[1] - scores[3] == pytest.approx(0.5, abs=1e-5)
    without = indexed(documents, prior_weight=0.0)
    assert without.retrieve(Query("hallelujah"), 9).docs.tolist() == list(range(7))


def test_a_little_popularity_does_not_beat_a_better_match() -> None:
    documents = [
        Document("0", "Blue Train", metadata={"popularity": 100}),
        Document("1", "Blue Monday", metadata={"popularity": 1}),
        *titled([f"Song {i}" for i in range(50)]),
    ]
    assert indexed(documents).retrieve(Query("blue monday"), 2).docs.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"artist": "Björk"}, [("artist", "Björk")]),
        ({"genre": ["rock", "pop"], "tags": []}, [("genre", "rock"), ("genre", "pop")]),
        ({"year": 1987, "release_year": 1990.0}, [("year", "1987"), ("release_year", "1990")]),
        ({"first_chart": "1958-08-04", "released": "1999-12"}, [("first_chart", "1958"), ("released", "1999")]),
        ({"popularity": 1056, "weeks": 11, "valence": 0.3, "live": True, "none": None}, []),
        ({"image_url": "x.png", "album_id": "al7", "isrc": "US1", "id": "a"}, []),
        ({"site": "https://example.org/a"}, []),
        ({"year": float("nan")}, []),
        ({"nested": {"a": "b"}}, []),
    ],
)  # fmt: skip
def test_searchable_metadata(metadata: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert list(metadata_texts(metadata)) == expected


def test_fields_and_their_weights() -> None:
    documents = [
        Document("t", "Madonna"),
        Document("a", "Vogue", "", "track", {"artist": "Madonna", "year": 1990}),
        Document("x", "Churches", "a madonna in every church", metadata={"lyrics": "la madonna"}),
        *titled([f"Other {i}" for i in range(20)]),
    ]
    default = indexed(documents)
    assert titles_found(default, "madonna", documents)[0] == "t"
    assert titles_found(default, "1990", documents) == ["a"]
    assert titles_found(default, "track", documents) == ["a"]
    only_artist = indexed(documents, weights={"artist": 1.0})
    assert titles_found(only_artist, "madonna", documents) == ["a"]
    assert titles_found(only_artist, "vogue", documents) == []
    no_lyrics = indexed(documents, weights={"*": 1.0, "lyrics": 0.0})
    assert titles_found(no_lyrics, "madonna", documents) == ["a"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k1": -1.0}, "k1: found -1.0"),
        ({"k1": float("nan")}, "k1: found nan"),
        ({"b": 1.5}, r"b: found 1.5, expected a number in \[0, 1\]"),
        ({"prior_weight": float("inf")}, "prior_weight: found inf"),
        ({"weights": {"title": -2.0}}, r"weights\['title'\]: found -2.0"),
    ],
)
def test_bad_settings_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BM25(**options)


@pytest.mark.parametrize("rows", [[1, 5], [6, 6], [7, 6], [-1, 6]])
def test_rows_must_ascend_above_the_others(rows: list[int]) -> None:
    index = indexed(titled(["a"] * 3))
    index.add(np.array([5], np.int32), titled(["b"]))
    with pytest.raises(ValueError, match="rows: must ascend and start at 6"):
        index.add(np.array(rows, np.int32), titled(["c", "d"]))


def test_arguments_that_do_not_fit_the_rows_are_refused() -> None:
    index = indexed(titled(["a"] * 3))
    with pytest.raises(ValueError, match=r"rows: found shape \(2,\), expected \(1,\)"):
        index.add(np.array([3, 4], np.int32), titled(["b"]))
    with pytest.raises(ValueError, match=r"rows: must lie in \[0, 3\), found 3 to 3"):
        index.remove(np.array([3], np.int32))
    with pytest.raises(ValueError, match="allowed: found 2 flags, expected one for each of 3"):
        index.retrieve(Query("a"), 2, np.ones(2, np.bool_))


def test_settings_survive_saving(tmp_path: Path) -> None:
    index = indexed(
        titled(["Running up", "The hill"]),
        analyzer=Analyzer("english", ENGLISH_STOPWORDS),
        weights=TITLE,
        k1=0.9,
        b=0.4,
        epsilon=0.1,
        prior_weight=0.0,
    )
    index.save(tmp_path)
    loaded = BM25.load(tmp_path)
    assert loaded.analyzer == index.analyzer
    assert loaded.weights == TITLE
    again = tmp_path / "again"
    again.mkdir()
    loaded.save(again)
    for file in again.rglob("*.*"):
        assert file.read_bytes() == (tmp_path / file.relative_to(again)).read_bytes()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    indexed(titled(["a b"])).save(tmp_path)
    np.save(tmp_path / "base" / "impacts.npy", np.zeros(2, np.float64))
    with pytest.raises(ValueError, match=r"impacts\.npy: found float64, expected float32"):
        BM25.load(tmp_path)


@pytest.mark.skipif(not (DATA / "scifact").is_dir(), reason="needs SciFact, see LTRR_DATA")
def test_scifact_is_near_the_published_figure() -> None:
    def lines(name: str) -> list[dict[str, Any]]:
        with gzip.open(DATA / "scifact" / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    documents = [Document(d["_id"], d["title"], d["text"]) for d in lines("corpus.jsonl.gz")]
    index = indexed(documents)
    texts = {query["_id"]: query["text"] for query in lines("queries.jsonl.gz")}
    judged: dict[str, set[str]] = {}
    for line in (DATA / "scifact" / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query_id, doc_id, _ = line.split("\t")
        judged.setdefault(query_id, set()).add(doc_id)
    gains = 1 / np.log2(np.arange(2, 12))
    ndcg = []
    for query_id, relevant in judged.items():
        hits = index.retrieve(Query(texts[query_id]), 10)
        found = np.array([documents[doc].id in relevant for doc in hits.docs])
        ndcg.append(gains[: found.size][found].sum() / gains[: len(relevant)].sum())
    assert np.mean(ndcg) == pytest.approx(0.665, abs=0.005)


def test_a_whole_metadata_value_outweighs_its_scattered_words() -> None:
    documents = [
        Document("scattered", "A", "", None, {"tags": ["post grunge", "hard rock", "melancholic"]}),
        Document("whole", "B", "", None, {"tags": ["post rock", "instrumental", "quiet"]}),
        *(Document(f"d{i}", f"C{i}", "", None, {"tags": ["pop"]}) for i in range(8)),
    ]
    bm25 = BM25()
    bm25.add(np.arange(len(documents), dtype=np.int32), documents)
    assert bm25.retrieve(Query("post rock"), 2).docs.tolist() == [1, 0]
    assert value_terms(["a", "b", "c"]) == ["a b", "b c", "a b c"]
    assert value_term(["rock"]) is None
