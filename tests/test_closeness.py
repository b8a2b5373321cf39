"""Similarity of names: a plain implementation beside it, planted answers, features by hand."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from retrievers.analysis import words
from retrievers.base import Document, Query
from retrievers.fuzzy import Fuzzy


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
