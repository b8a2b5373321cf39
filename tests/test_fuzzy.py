"""Trigrams of names: the cosine by hand, the pool's edge, misspellings planted in made-up names."""

from __future__ import annotations

import copy
import gzip
import json
import math
import os
import string
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.base import Document, Query
from retrievers.fuzzy import COSINE, POOL, Fuzzy, trigrams

DATA = Path(os.environ.get("LTRR_DATA", Path(__file__).parents[2] / "shared" / "data"))


def indexed(names: list[str]) -> Fuzzy:
    index = Fuzzy()
    documents = [Document(str(i), name) for i, name in enumerate(names)]
    index.add(np.arange(len(names), dtype=np.int32), documents)
    return index


def misspelt(name: str, rng: np.random.Generator, edits: int) -> str:
    """Letters inserted, dropped, replaced, or swapped with their neighbour."""
    letters = list(name.lower())
    for _ in range(edits):
        at = int(rng.integers(len(letters) - 1))
        letter = string.ascii_lowercase[rng.integers(26)]
        letters[at : at + 2] = (
            [letters[at], letter, letters[at + 1]],
            [letters[at + 1]],
            [letter, letters[at + 1]],
            [letters[at + 1], letters[at]],
        )[int(rng.integers(4))]
    return "".join(letters)


def found_in_ten(index: Fuzzy, names: list[str], rng: np.random.Generator) -> float:
    """The share of misspelt names (one edit under eight letters, else one or two) found."""
    rows = rng.choice([i for i, name in enumerate(names) if len(name) >= 5], 600, replace=False)
    found = 0
    for row in rows.tolist():
        edits = 1 if len(names[row]) < 8 else int(rng.integers(1, 3))
        text = misspelt(names[row], rng, edits)
        found += row in index.retrieve(Query(text), 10).docs
    return found / len(rows)


def test_trigrams_by_hand() -> None:
    assert trigrams("U2") == ["  u", " u2", "u2 ", "2  "]
    assert trigrams("Ab, ç!") == ["  a", " ab", "ab ", "b c", " c ", "c  "]
    assert trigrams("") == []


@given(
    st.lists(st.text("abc ", max_size=6), min_size=1, max_size=8),
    st.text("abcd ", max_size=6),
)
def test_scores_blend_similarity_and_the_cosine_of_weighted_trigrams(
    names: list[str], text: str
) -> None:
    bags = [Counter(trigrams(name)) for name in names]

    def weighted(bag: Counter[str]) -> dict[str, float]:
        holding = {gram: sum(gram in other for other in bags) for gram in bag}
        return {
            gram: count * math.log(1 + (len(names) + 1) / (holding[gram] + 1))
            for gram, count in bag.items()
        }

    query = weighted(Counter(trigrams(text)))
    index = indexed(names)
    similar = index.describe(Query(text), np.arange(len(names), dtype=np.int32))[:, 1]
    expected = {}
    for row, bag in enumerate(bags):
        name = weighted(bag)
        shared = sum(query[gram] * name[gram] for gram in query.keys() & name.keys())
        if shared:
            cosine = shared / math.hypot(*query.values()) / math.hypot(*name.values())
            expected[row] = COSINE * cosine + (1 - COSINE) * float(similar[row])
    hits = index.retrieve(Query(text), len(names))
    assert dict(zip(hits.docs.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(
        expected, abs=1e-6
    )


@pytest.fixture(scope="module")
def many() -> Fuzzy:
    """Of made-up names, so short of letters that all share trigrams."""
    rng = np.random.default_rng(1)
    return indexed(["".join(rng.choice(list("abc "), 7)) + "x" for _ in range(4 * POOL)])


QUERIES = ["abcabcx", "aab cx", "cab", "x"]


@pytest.mark.parametrize("text", QUERIES)
def test_below_the_pool_the_ranking_goes_on(many: Fuzzy, text: str) -> None:
    full = many.retrieve(Query(text), 10_000)
    assert len(full) > POOL
    ordered = np.lexsort((full.docs, -full.scores))
    assert ordered.tolist() == list(range(len(full)))
    assert (full.scores > 0).all()
    assert (full.scores <= 1).all()
    assert (full.scores[POOL:] <= np.float32(COSINE)).all()
    for k in (1, 10, POOL - 1, POOL, POOL + 1, POOL + 50):
        first = many.retrieve(Query(text), k)
        assert first.docs.tolist() == full.docs[:k].tolist()
        assert first.scores.tobytes() == full.scores[:k].tobytes()


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9])
def test_what_is_allowed_does_not_move_the_pool(many: Fuzzy, text: str, share: float) -> None:
    allowed = np.random.default_rng(2).random(4 * POOL) < share
    full = many.retrieve(Query(text), 10_000)
    kept = allowed[full.docs]
    for k in (1, 10, POOL, POOL + 50, 10_000):
        hits = many.retrieve(Query(text), k, allowed)
        assert hits.docs.tolist() == full.docs[kept][:k].tolist()
        assert hits.scores.tobytes() == full.scores[kept][:k].tobytes()


def test_a_mask_older_than_the_catalogue_is_refused(many: Fuzzy) -> None:
    with pytest.raises(ValueError, match="allowed: found 3 flags"):
        many.retrieve(Query("abc"), 5, np.ones(3, np.bool_))


NAMES = [
    "Beyoncé", "Simon & Garfunkel", "Metallica", "Red Hot Chili Peppers", "U2", "AC/DC",
    "Sigur Rós", "The Beatles", "Bohemian Rhapsody", "宇多田ヒカル", "Земфира", "!!!", "The The",
    "Blur", "Beat Happening", "Bee Gees", "Beirut", "Simple Minds", "Sinéad O'Connor", "Metric",
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("beyonse", "Beyoncé"),
        ("simon garfunkle", "Simon & Garfunkel"),
        ("metalica", "Metallica"),
        ("chilli pepers red hot", "Red Hot Chili Peppers"),
        ("u2", "U2"),
        ("u", "U2"),
        ("acdc", "AC/DC"),
        ("sigur ros", "Sigur Rós"),
        ("beatels", "The Beatles"),
        ("bohem", "Bohemian Rhapsody"),
        ("rapsody", "Bohemian Rhapsody"),
        ("宇多田", "宇多田ヒカル"),
        ("земфера", "Земфира"),
        ("!!!", "!!!"),
        ("sinead oconor", "Sinéad O'Connor"),
    ],
)
def test_what_people_type(typed: str, name: str) -> None:
    assert NAMES[indexed(NAMES).retrieve(Query(typed), 1).docs[0]] == name


def test_artist_and_title_name_a_track_together() -> None:
    documents = [
        Document("0", "One", "", "track", {"artist": "Metallica"}),
        Document("1", "One", "", "track", {"artist": "U2"}),
        Document("2", "One Vision", "", "track", {"artist": "Queen"}),
    ]
    index = Fuzzy()
    index.add(np.arange(3, dtype=np.int32), documents)
    assert index.retrieve(Query("one metalica"), 1).docs.tolist() == [0]
    assert index.retrieve(Query("oen u2"), 1).docs.tolist() == [1]
    titles = Fuzzy(weights={"title": 1.0})
    titles.add(np.arange(3, dtype=np.int32), documents)
    assert titles.retrieve(Query("metallica"), 3).docs.tolist() == []


def test_misspelt_names_are_in_the_first_ten() -> None:
    rng = np.random.default_rng(3)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or")]
    lengths = rng.integers(2, 6, 4000)
    names = ["".join(rng.choice(syllables, length)) for length in lengths]
    assert found_in_ten(indexed(names), names, rng) > 0.95


@pytest.mark.skipif(not (DATA / "lastfm").is_dir(), reason="needs Last.fm, see LTRR_DATA")
def test_misspelt_artists_are_in_the_first_ten() -> None:
    with gzip.open(DATA / "lastfm" / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        names = [str(json.loads(line)["title"]) for line in file]
    assert found_in_ten(indexed(names), names, np.random.default_rng(0)) >= 0.97


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_bad_weights_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=r"weights\['title'\]: found .*, expected a number above"):
        Fuzzy(weights={"title": weight})


def test_nearness_tells_a_typed_name_from_a_topic(many: Fuzzy) -> None:
    fuzzy = Fuzzy()
    fuzzy.add(np.arange(len(NAMES), dtype=np.int32), [Document(n, n) for n in NAMES])
    exact, slip, other = (fuzzy.nearness(Query(t)) for t in ("Metallica", "metalica", "calm"))
    assert exact[0] == pytest.approx(1.0)
    assert 0.8 < slip[0] < 1.0
    assert other.size == 0 or other[0] < 0.5
    assert many.nearness(Query("")).size == 0


def test_what_is_kept_of_a_query_does_not_outlive_a_change() -> None:
    fuzzy = Fuzzy()
    fuzzy.add(np.array([0], np.int32), [Document("a", "Metallica")])
    before, asked = copy.copy(fuzzy), Query("metallica")
    assert fuzzy.nearness(asked).size == 1
    fuzzy.add(np.array([1], np.int32), [Document("b", "Metallica Tribute")])
    assert fuzzy.retrieve(asked, 10).docs.tolist() == [0, 1]
    assert before.retrieve(asked, 10).docs.tolist() == [0]
    fuzzy.remove(np.array([0], np.int32))
    assert fuzzy.retrieve(asked, 10).docs.tolist() == [1]
