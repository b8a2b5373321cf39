"""Listeners behave as the table of their rates says, and the same seed makes them do it again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from demo import clock, rates
from demo.catalogue import catalogue
from demo.listeners import INTENTS, TYPED, Crowd, Wish
from demo.nicknames import nicknames
from demo.shelves import Shelves
from demo.wording import artist_name, other_words
from engine import Document, Response
from tests.conftest import songs

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def documents() -> tuple[Document, ...]:
    return catalogue()


def page(*ids: str) -> Response:
    return cast(Response, SimpleNamespace(hits=[SimpleNamespace(id=id) for id in ids]))


def at(day: int, hour: int) -> datetime:
    return MONDAY.replace(day=5 + day, hour=hour)


def test_the_shares_are_shares() -> None:
    assert sum(INTENTS.values()) == pytest.approx(1.0)
    assert sum(TYPED.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "share",
    [
        *INTENTS.values(),
        *TYPED.values(),
        rates.OTHER_KINDS,
        rates.ENGLISH_TOO,
        rates.FAITHFUL,
        rates.EVERYBODY,
        rates.SUITS,
        rates.NICKNAME,
        rates.BESIDE_A_KIND,
        rates.WRONG_CLICK,
        rates.SECOND_TRY,
        1 - rates.TITLE_ALONE,
    ],
)
def test_every_share_stands_in_the_table(share: float) -> None:
    assert f"{share:.0%}" in (rates.__doc__ or "")


@pytest.mark.parametrize("part", clock.PARTS, ids=lambda part: part.name)
def test_every_part_of_the_week_stands_in_the_table(part: clock.Part) -> None:
    (row,) = [line for line in (clock.__doc__ or "").splitlines() if f"| {part.name} |" in line]
    assert f"| {part.rate} |" in row
    said = row.split("|")[4].replace(";", ",").split(",")
    assert {word.strip() for word in said} == part.suits


@pytest.mark.parametrize(
    ("time", "name"),
    [
        (at(0, 8), "workday morning"),
        (at(4, 17), "workday afternoon"),
        (at(6, 20), "evening"),
        (at(5, 9), "weekend morning"),
        (at(6, 14), "weekend afternoon"),
        (at(4, 18), "party"),
        (at(5, 22), "party"),
        (at(6, 2), "party"),
        (at(6, 4), "night"),
        (at(1, 2), "night"),
        (at(0, 23), "night"),
    ],
)
def test_parts_of_the_week(time: datetime, name: str) -> None:
    assert clock.part_of(time).name == name


def test_a_week_has_the_shares_of_the_table_and_its_parts_differ() -> None:
    rng = np.random.default_rng(0)
    time, shares, searches = MONDAY, np.zeros(len(INTENTS)), 0
    busy: Counter[str] = Counter()
    while time < MONDAY.replace(month=3, day=2):  # eight weeks
        time = clock.next_search(time, rng)
        shares += clock.intents_at(time)
        busy[clock.part_of(time).name] += 1
        searches += 1
    assert searches == pytest.approx(8 * 7 * 24 * 60 / rates.MINUTES, rel=0.05)
    np.testing.assert_allclose(shares / searches, list(INTENTS.values()), atol=0.005)
    assert busy["party"] / (2 * 9) > 4 * busy["night"] / (5 * 7 + 2 * 3 + 1)
    topic = list(INTENTS).index("topic")
    assert clock.intents_at(at(5, 22))[topic] > 1.5 * clock.intents_at(at(0, 8))[topic]


def test_saturday_nights_are_not_weekday_mornings(documents: tuple[Document, ...]) -> None:
    crowd = Crowd(documents, seed=2, listeners=20)
    by_id = {document.id: document for document in documents}
    party: dict[str, list[bool]] = {"party": [], "workday morning": []}
    for _ in range(3000):
        wish = crowd.wish()
        name = clock.part_of(wish.time).name
        if name in party and by_id[wish.item].type == "track":
            party[name].append("party" in by_id[wish.item].values("mood"))
    assert np.mean(party["party"]) > np.mean(party["workday morning"]) + 0.15


def test_listeners_have_languages_eras_genres_and_artists(
    documents: tuple[Document, ...],
) -> None:
    shelves = Shelves(documents)
    crowd = Crowd(documents, seed=0)
    assert len({listener.languages for listener in crowd.listeners}) > 5
    assert len({listener.era for listener in crowd.listeners}) > 3
    for listener in crowd.listeners:
        assert 1 <= len(listener.genres) <= rates.GENRES
        assert 1 <= len(listener.artists) <= rates.ARTISTS
        assert set(listener.favourites) <= set(listener.tracks)
        assert {shelves.artist(row) for row in listener.tracks} <= set(listener.artists)
    own = [
        np.mean([documents[row].metadata["decade"] == listener.era for row in listener.favourites])
        for listener in crowd.listeners
    ]
    of_all = Counter(documents[row].metadata["decade"] for row in shelves.tracks)
    assert np.mean(own) > 1.5 * max(of_all.values()) / len(shelves.tracks)


def test_nicknames_are_of_artists_and_in_no_document(documents: tuple[Document, ...]) -> None:
    artists = {d.title: d for d in documents if d.type == "artist"}
    called = nicknames()
    assert len(called) >= 90
    assert set(called) <= set(artists)
    known = {name.casefold() for d in artists.values() for name in (d.title, *d.values("also"))}
    assert {
        name for names in called.values() for name in names if name.casefold() in known
    } == set()
    assert called["Justin Timberlake"] == ("JT",)


def test_an_artist_goes_by_a_nickname_at_times(documents: tuple[Document, ...]) -> None:
    shelves, rng = Shelves(documents), np.random.default_rng(0)
    names = Counter(artist_name(shelves, "Red Hot Chili Peppers", rng) for _ in range(2000))
    assert set(names) == {"Red Hot Chili Peppers", "RHCP", "Chili Peppers"}
    assert 1 - names["Red Hot Chili Peppers"] / 2000 == pytest.approx(rates.NICKNAME, abs=0.03)
    assert artist_name(shelves, "Nobody at All", rng) == "Nobody at All"


def test_a_failed_search_is_at_times_tried_once_more() -> None:
    crowd = Crowd(songs(), seed=1, listeners=10)
    tries, last = 0, crowd.wish()
    crowd.clicks(last, page())
    first = 1
    for _ in range(2000):
        wish = crowd.wish()
        if wish.second_try:
            tries += 1
            assert not last.second_try
            assert (wish.user, wish.item, wish.intent) == (last.user, last.item, last.intent)
            assert wish.text != last.text
            assert 0 < (wish.time - last.time).total_seconds() < 600
        else:
            first += 1
        crowd.clicks(wish, page())
        last = wish
    assert tries / first == pytest.approx(rates.SECOND_TRY, abs=0.05)


def test_what_was_found_is_not_searched_for_again() -> None:
    crowd = Crowd(songs(), seed=1, listeners=10)
    for _ in range(300):
        wish = crowd.wish()
        assert not wish.second_try
        crowd.clicks(wish, page(wish.item))  # the first place is always looked at


def test_a_second_try_says_more(documents: tuple[Document, ...]) -> None:
    shelves, rng = Shelves(documents), np.random.default_rng(0)
    row = shelves.row["track:imagine-dragons/believer"]
    assert other_words(shelves, "known", row, rng) == "imagine dragons believer"
    words = other_words(shelves, "topic", row, rng)
    assert words != other_words(shelves, "known", row, rng)
    page = shelves.row["artist:imagine-dragons"]
    assert other_words(shelves, "artist", page, rng) == "imagine dragons"


@pytest.mark.parametrize("lacking", [("genre", "mood", "year"), ("artist", "genre", "popularity")])
def test_a_catalogue_may_lack_fields(lacking: tuple[str, ...]) -> None:
    poor = [
        Document(
            d.id, d.title, "", d.type, {k: v for k, v in d.metadata.items() if k not in lacking}
        )
        for d in songs()
        if d.type == "track"
    ]
    crowd = Crowd(poor, seed=0, listeners=5)
    wishes = [crowd.wish() for _ in range(100)]
    assert {wish.intent for wish in wishes} >= {"known", "artist", "topic", "new"}
    assert {wish.item for wish in wishes} <= {d.id for d in poor}


def test_known_items_are_of_every_kind(documents: tuple[Document, ...]) -> None:
    crowd = Crowd(documents, seed=1)
    kinds = Counter(
        wish.item.split(":")[0]
        for wish in (crowd.wish() for _ in range(1500))
        if wish.intent == "known"
    )
    assert set(kinds) == {"track", "album", "playlist", "station", "podcast"}
    others = 1 - kinds["track"] / kinds.total()
    assert others == pytest.approx(rates.OTHER_KINDS, abs=0.04)


def test_the_same_seed_gives_the_same_wishes_for_the_same_answers() -> None:
    def wishes(seed: int) -> list[Wish]:
        crowd = Crowd(songs(), seed, listeners=10)
        made = []
        for n in range(200):
            made.append(crowd.wish())
            crowd.clicks(made[-1], page(*(["t0-0", made[-1].item][: 1 + n % 2])))
        return made

    first = wishes(3)
    assert first == wishes(3) != wishes(4)
    times = [wish.time for wish in first]
    assert times == sorted(times)
    assert any(wish.second_try for wish in first)
    assert any(wish.intent == "again" for wish in first)
