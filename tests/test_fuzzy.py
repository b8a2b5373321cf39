"""Names by trigrams and edits: cosine and similarity by hand, misspellings planted in names."""

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
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidfuzz.distance import OSA

from retrievers.analysis import words
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


def similarity(text: str, title: str, artist: str) -> float:
    """What `Fuzzy` should find, in plain Python."""
    typed = words(text)

    def near(i: int, word: str) -> float:
        full = OSA.normalized_similarity(typed[i], word, score_cutoff=0.5)
        if i < len(typed) - 1:
            return full
        head = word[: len(typed[i])]
        return max(full, 0.9 * OSA.normalized_similarity(typed[i], head, score_cutoff=0.5))

    def mean(values: list[float], of: list[str]) -> float:
        sizes = [math.sqrt(len(word)) for word in of]
        return sum(v * s for v, s in zip(values, sizes, strict=True)) / sum(sizes)

    def by_words(name: list[str]) -> float:
        places = range(len(typed))
        typed_covered = mean([max(near(i, word) for word in name) for i in places], typed)
        name_covered = mean([max(near(i, word) for i in places) for word in name], name)
        return typed_covered * (1 - 0.2 * (1 - name_covered))

    found = [by_words(words(title) + words(artist))]
    for name, weight in ((title, 1.0), (artist, 0.7)):
        whole = OSA.normalized_similarity(" ".join(typed), " ".join(words(name)), score_cutoff=0.5)
        found.append(weight * max(by_words(words(name)), whole))
    return max(found)


@settings(deadline=None)
@given(st.data())
def test_similarity_is_that_of_a_plain_implementation(data: st.DataObject) -> None:
    letters = st.text("abc ", min_size=1, max_size=8).filter(str.strip)
    names = data.draw(st.lists(st.tuples(letters, letters), min_size=1, max_size=4))
    text = data.draw(letters)
    index = Fuzzy()
    documents = [Document("", title, metadata={"artist": artist}) for title, artist in names]
    index.add(np.arange(len(names), dtype=np.int32), documents)
    found = index.describe(Query(text), np.arange(len(names), dtype=np.int32))
    assert found[:, 1] == pytest.approx([similarity(text, *name) for name in names], abs=1e-5)


@settings(deadline=None)
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


SONGS = [
    Document("0", "Bon Iver", "", "artist"),
    Document("1", "Believer", "", "track", {"artist": "Imagine Dragons"}),
    Document("2", "Bon Iver, Bon Iver", "", "album", {"artist": "Bon Iver"}),
    Document("3", "Love", "", "playlist"),
    Document("4", "Love Story", "", "track", {"artist": "Taylor Swift"}),
    Document("5", "Numb", "", "track", {"artist": "Linkin Park"}),
    Document("6", "Umbrella", "", "track", {"artist": ["Rihanna", "JAY-Z"]}),
    Document("7", "Imagine", "", "track", {"artist": "John Lennon"}),
    Document("8"),
    *(Document(str(9 + i), title) for i, title in enumerate(["Ivy", "Liver", "Relief", "Beli"])),
]


@pytest.fixture(scope="module")
def songs() -> Fuzzy:
    index = Fuzzy()
    index.add(np.arange(len(SONGS), dtype=np.int32), SONGS)
    return index


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("beleiver", 1),
        ("bno iver", 0),
        ("tayler love", 4),
        ("swift taylro", 4),
        ("story love", 4),
        ("believ", 1),
        ("imagine drago", 1),
        ("imagine dragns beleiver", 1),
        ("linkinpark numb", 5),
        ("umbrela jay z", 6),
        ("imagin", 7),
    ],
)
def test_the_nearest_name_is_first(songs: Fuzzy, typed: str, first: int) -> None:
    assert songs.retrieve(Query(typed), 1).docs.tolist() == [first]


ALL = np.arange(len(SONGS), dtype=np.int32)


def test_features_by_hand(songs: Fuzzy) -> None:
    assert Fuzzy.feature_names == (
        *("title_similarity", "best_similarity", "word_coverage", "name_coverage"),
    )
    title, best, typed, named = songs.describe(Query("imagine dragons"), ALL).T
    # Row 1: nothing of its title; artist alone 0.7 x 1, both names together miss "Believer".
    untyped = math.sqrt(8) / (math.sqrt(8) + 2 * math.sqrt(7))
    assert (title[1], typed[1]) == (0, 1)
    assert best[1] == pytest.approx(1 - 0.2 * untyped)
    assert named[1] == pytest.approx(1 - untyped)
    # Row 7: one of two words of equal length, which is all of the title.
    assert (title[7], best[7], typed[7], named[7]) == pytest.approx((0.5, 0.5, 0.5, 1.0))
    # Row 8 has no name.
    assert np.isnan([title[8], best[8], typed[8], named[8]]).all()


@settings(deadline=None)
@given(st.text(max_size=40))
def test_features_lie_between_0_and_1(text: str) -> None:
    index = Fuzzy()
    index.add(np.arange(len(SONGS), dtype=np.int32), SONGS)
    features = index.describe(Query(text), ALL)
    if not words(text):
        assert np.isnan(features).all()
    else:
        nameless = np.isnan(features).all(axis=1)
        assert np.flatnonzero(nameless).tolist() == [8]
        assert ((features[~nameless] >= 0) & (features[~nameless] <= 1)).all()


def test_features_do_not_depend_on_the_other_rows(songs: Fuzzy) -> None:
    together = songs.describe(Query("tayler love"), ALL)
    for row in ALL:
        alone = songs.describe(Query("tayler love"), np.array([row], np.int32))
        assert alone.tobytes() == together[row].tobytes()


def test_without_titles_there_is_no_title_to_compare() -> None:
    index = Fuzzy(weights={"artist": 2.0})
    index.add(np.arange(len(SONGS), dtype=np.int32), SONGS)
    features = index.describe(Query("linkin park"), np.array([5, 0], np.int32))
    assert np.isnan(features[0, 0])
    assert features[0, 1:].tolist() == [1, 1, 1]
    assert np.isnan(features[1]).all()


def test_unknown_rows_are_refused(songs: Fuzzy) -> None:
    with pytest.raises(ValueError, match=r"docs: must lie in \[0, 13\), found 13 to 13"):
        songs.describe(Query("love"), np.array([13], np.int32))


def test_features_survive_saving_adding_and_merging(songs: Fuzzy, tmp_path: Path) -> None:
    query, before = Query("tayler love"), songs.describe(Query("tayler love"), ALL)
    changed = copy.copy(songs)
    changed.add(np.array([20], np.int32), [Document("n", "Love Taylor")])
    changed.remove(np.array([0, 20], np.int32))
    (tmp_path / "changed").mkdir()
    changed.save(tmp_path / "changed")
    loaded = Fuzzy.load(tmp_path / "changed")
    for index in (changed, loaded):
        assert index.describe(query, ALL).tobytes() == before.tobytes()
    changed.merge()
    assert changed.describe(query, ALL[1:]).tobytes() == before[1:].tobytes()
    assert np.isnan(changed.describe(query, np.array([0, 15, 20], np.int32))).all()
    changed.add(np.array([21], np.int32), [Document("n", "Love Taylor")])
    assert changed.retrieve(query, 1).docs.tolist() == [21]
    assert songs.describe(query, ALL).tobytes() == before.tobytes()


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
