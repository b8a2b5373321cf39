"""Fielded search over a small catalogue: readings and what they bring."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

from retrievers.base import Document, Labelled, Query, Reading, Span
from retrievers.field_names import year_of
from retrievers.query_words import decade
from retrievers.structured import Structured
from retrievers.structured_scores import IN_FULL


def track(id: str, title: str, artist: str, year: int, popularity: int, **more: object) -> Document:
    facts = {"artist": artist, "year": year, "popularity": popularity, "genre": ["rock"]}
    return Document(id, title, "", "track", facts | more)


def album(id: str, title: str, artist: str, year: int) -> Document:
    return Document(id, title, "", "album", {"artist": artist, "year": year, "popularity": 50})


MUSIC = [
    Document("a0", "Imagine Dragons", "", "artist", {"popularity": 90, "genre": ["rock"]}),
    Document("a1", "Taylor Swift", "", "artist", {"popularity": 95, "genre": ["pop"], "also": ["Tay Tay"]}),
    Document("a2", "Love", "", "artist", {"popularity": 40, "genre": ["rock"]}),
    track("t0", "Believer", "Imagine Dragons", 2017, 92, album="Evolve"),
    track("t1", "Love Story", "Taylor Swift", 2008, 88),
    track("t2", "Love", "Lana Del Rey", 2017, 62),
    track("t3", "Hallelujah", "Jeff Buckley", 1994, 75),
    track("t4", "Hallelujah", "Jeff Buckley", 1995, 30, version="live"),
    track("t5", "Take On Me", "a-ha", 1985, 85),
    track("t6", "Old Song", "a-ha", 1979, 10),
    album("b0", "Evolve", "Imagine Dragons", 2017),
    album("b1", "Loom", "Imagine Dragons", 2024),
    album("b2", "Night Visions", "Imagine Dragons", 2012),
]  # fmt: skip


@pytest.fixture
def structured() -> Structured:
    made = Structured()
    made.add(np.arange(len(MUSIC), dtype=np.int32), MUSIC)
    return made


def found(structured: Structured, text: str, k: int = 5) -> list[str]:
    return [MUSIC[row].id for row in structured.retrieve(Query(text), k).docs.tolist()]


def fields(structured: Structured, text: str) -> list[set[tuple[str, str]]]:
    return [{(s.field, s.value) for s in one.spans} for one in structured.by_rules(text)]


def test_one_word_has_several_readings(structured: Structured) -> None:
    read = structured.by_rules("love")
    assert {("track", "Love"), ("artist", "Love")} <= {
        (s.field, s.value) for r in read for s in r.spans
    }
    assert 0.5 < sum(r.probability for r in read) <= 1.0
    assert [r.probability for r in read] == sorted((r.probability for r in read), reverse=True)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("beleiver", "t0"),
        ("latest Imagine Dragons album", "b1"),
        ("oldest album by imagine dragons", "b2"),
        ("imagin dragons", "a0"),
        ("tayler love", "t1"),
        ("songs from the 80s", "t5"),
        ("songs before 1980", "t6"),
        ("hallelujah live", "t4"),
        ("hallelujah not live", "t3"),
        ("tay tay", "a1"),
    ],
)  # fmt: skip
def test_what_stands_first(structured: Structured, text: str, first: str) -> None:
    assert found(structured, text)[0] == first


def test_years_and_what_is_excluded_leave_out_all_others(structured: Structured) -> None:
    for text, ids in (("songs from the 80s", {"t5"}), ("hallelujah not live", {"t3", "a3"})):
        query = Query(text, readings=structured.by_rules(text)[:1])
        docs = structured.retrieve(query, 50).docs.tolist()
        assert {MUSIC[row].id for row in docs} <= ids


@pytest.mark.parametrize(
    ("spans", "ids"),
    [
        ([("type", "track"), ("year", "2017..2017")], {"t0", "t2"}),
        ([("year", "..1990"), ("artist", "a-ha")], {"t5", "t6"}),
        ([("-type", "track"), ("year", "2010..")], {"b0", "b1", "b2"}),
        ([("type", "artist")], {"a0", "a1", "a2"}),
        ([("artist", "a-ha")], {document.id for document in MUSIC}),
    ],
)
def test_what_is_of_the_kind_and_years(
    structured: Structured, spans: list[tuple[str, str]], ids: set[str]
) -> None:
    reading = Reading(tuple(Span(0, 1, field, value) for field, value in spans), 0.9)
    rows = np.arange(len(MUSIC), dtype=np.int32)
    met = structured.meets(reading, rows)
    assert {MUSIC[row].id for row in rows[met].tolist()} == ids


def test_a_value_of_the_years_asked_for_is_all_that_is_asked_for(structured: Structured) -> None:
    readings = (Reading((Span(0, 3, "year", "2010..2019"), Span(4, 8, "genre", "rock")), 1.0),)
    hits = structured.retrieve(Query("2010s rock", readings=readings), 5)
    assert {MUSIC[row].id for row in hits.docs.tolist()} == {"t0", "t2"}
    assert (hits.scores >= IN_FULL).all()


def test_the_artist_and_the_album_of_a_song_come_along(structured: Structured) -> None:
    assert {"a0", "b0"} <= set(found(structured, "believer"))


def test_songs_of_another_name_of_an_artist(structured: Structured) -> None:
    assert found(structured, "songs by tay tay")[0] == "t1"


def test_what_names_nothing_finds_nothing(structured: Structured) -> None:
    query = Query("the meaning of zyzzyva")
    assert len(structured.retrieve(query, 5)) == 0
    assert structured.at_most(query) == 0.0


def test_spans_point_into_the_text(structured: Structured) -> None:
    text = "Believer is by Imagine Dragons."
    spans = structured.by_rules(text)[0].spans
    assert {(text[s.start : s.end], s.field) for s in spans} == {
        ("Believer", "track"), ("Imagine Dragons", "artist"),
    }  # fmt: skip


def test_an_order_is_one_of_several() -> None:
    named = [Document("c0", "Metallica", "", "artist", {"popularity": 90})]
    named += [album(f"c{year}", f"Of {year}", "Metallica", year) for year in (1983, 2023)]
    named += [album("c1991", "Metallica", "Metallica", 1991)]
    made = Structured()
    made.add(np.arange(len(named), dtype=np.int32), named)
    likeliest = made.by_rules("latest metallica album")[:1]
    assert ("artist", "Metallica") in {(s.field, s.value) for s in likeliest[0].spans}
    found = made.retrieve(Query("latest metallica album", readings=likeliest), 1)
    assert named[found.docs[0]].id == "c2023"


@pytest.mark.parametrize("text", ["oldest album by imagine dragons", "songs from the 80s"])
def test_a_tagger_does_not_unsay_orders_kinds_and_years(structured: Structured, text: str) -> None:
    heard = structured.hear(text)
    names = ("artist", "order", "type", "year")
    shape = (len(heard.places), len(names))
    never = np.full(shape, -9.0, np.float32)
    begins = never.copy()
    for token, (start, _) in enumerate(heard.places):
        begins[token, 0] = -0.01 if text[start:].startswith("imagine") else -9.0
    goes_on = np.where(np.arange(shape[0])[:, None] == shape[0] - 1, begins * 0.0 - 0.01, never)
    outside = np.where(begins[:, 0] > -1.0, -5.0, -0.01).astype(np.float32)
    labelled = Labelled(names, begins, goes_on.astype(np.float32), outside)
    rules = {(s.field, s.value) for s in structured.readings(heard)[0].spans}
    told = {(s.field, s.value) for s in structured.readings(heard, labelled)[0].spans}
    assert {one for one in rules if one[0] != "artist"} <= told


def test_given_readings_are_heeded(structured: Structured) -> None:
    reading = Reading((Span(0, 2, "artist", "a-ha"), Span(0, 2, "order", "oldest")), 1.0)
    docs = structured.retrieve(Query("it", readings=(reading,)), 5).docs.tolist()
    assert [MUSIC[row].id for row in docs] == ["t6", "t5"]


def test_the_earliest_day_tells_the_age_where_no_key_is_known() -> None:
    days = {"last_chart": "1986-10-13", "first_chart": "1985-08-04", "note": "1971 was a year"}
    assert 1985.5 < year_of(Document("d", "D", metadata=days), ("year",)) < 1985.7
    assert year_of(Document("d", "D", metadata=days | {"year": 1990}), ("year",)) == 1990.0
    assert math.isnan(year_of(Document("d", "D", metadata={"note": "1971"}), ("year",)))


def test_a_name_goes_with_the_last_that_has_it(structured: Structured) -> None:
    before = copy.copy(structured)
    structured.remove(np.array([3], np.int32))
    assert all(("track", "Believer") not in read for read in fields(structured, "believer"))
    assert ("track", "Believer") in fields(before, "believer")[0]


def test_merging_changes_no_answer(structured: Structured) -> None:
    structured.remove(np.array([4, 7], np.int32))
    later = [Document("n0", "Loom", "", "track", {"artist": "Nobody", "popularity": 5})]
    structured.add(np.array([len(MUSIC)], np.int32), later)
    texts = ("love", "loom", "latest imagine dragons album", "hallelujah", "rock from the 90s")
    before = [structured.retrieve(Query(text), 20) for text in texts]
    structured.merge()
    for text, hits in zip(texts, before, strict=True):
        after = structured.retrieve(Query(text), 20)
        assert after.docs.tolist() == hits.docs.tolist()
        # How popular a name is follows from the rows that are left.
        np.testing.assert_allclose(after.scores, hits.scores, atol=0.05)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("80s", "1980..1989"), ("1980s", "1980..1989"), ("'80s", "1980..1989"), ("20s", "2020..2029"),
        ("2020s", "2020..2029"), ("00s", "2000..2009"), ("eighties", "1980..1989"), ("80", None),
    ],
)  # fmt: skip
def test_decades(text: str, years: str | None) -> None:
    assert decade(text) == years
