"""The catalogue holds what the examples of the field need, and its facts agree with a chart's."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from demo.catalogue import catalogue
from engine import EngineConfig, SearchEngine
from engine.formats import read_documents
from retrievers.base import Document

BILLBOARD = Path(__file__).parents[2] / "shared" / "data" / "billboard" / "corpus.jsonl.gz"


@pytest.fixture(scope="module")
def documents() -> tuple[Document, ...]:
    return catalogue()


def titled(documents: tuple[Document, ...], word: str) -> Counter[str | None]:
    return Counter(d.type for d in documents if re.search(rf"\b{word}\b", d.title.casefold()))


def test_love_is_in_names_of_every_kind(documents: tuple[Document, ...]) -> None:
    least = {"track": 200, "album": 20, "artist": 3, "playlist": 4, "station": 1, "podcast": 1}
    found = titled(documents, "love")
    assert {kind: found[kind] for kind in least if found[kind] < least[kind]} == {}
    exact = {d.type for d in documents if d.title.casefold() == "love"}
    assert exact >= {"artist", "album", "track", "playlist"}


def test_love_songs_are_a_genre(documents: tuple[Document, ...]) -> None:
    of = Counter(d.type for d in documents if "love songs" in d.values("genre"))
    assert of["track"] >= 20
    assert min(of["playlist"], of["station"], of["podcast"]) >= 1
    names = {d.type for d in documents if d.title == "Love Songs"}
    assert names >= {"playlist", "album"}


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("black sabbath", {"artist", "album", "track"}),
        ("genesis", {"artist", "album", "track"}),
        ("blue", {"album", "track", "playlist"}),
        ("let's stay together", {"album", "track", "playlist"}),
        ("energy", {"album", "track", "playlist"}),
        ("love", {"artist", "album", "track", "playlist"}),
    ],
)
def test_names_that_several_kinds_share(
    documents: tuple[Document, ...], title: str, kinds: set[str]
) -> None:
    assert {d.type for d in documents if d.title.casefold() == title} >= kinds


def test_believer_and_the_albums_of_its_artist(documents: tuple[Document, ...]) -> None:
    of = [d for d in documents if "Imagine Dragons" in d.values("artist")]
    believer = next(d for d in of if d.id == "track:imagine-dragons/believer")
    assert (believer.metadata["album"], believer.metadata["year"]) == ("Evolve", 2017)
    albums = {d.title: d.metadata["year"] for d in of if d.type == "album"}
    assert albums == {
        "Night Visions": 2012,
        "Smoke + Mirrors": 2015,
        "Evolve": 2017,
        "Origins": 2018,
        "Mercury – Act 1": 2021,
        "Mercury – Act 2": 2022,
        "Loom": 2024,
    }


def test_artists_stand_between_genres(documents: tuple[Document, ...]) -> None:
    between = {
        d.title
        for d in documents
        if d.type == "artist" and {"country", "pop"} <= set(d.values("genre"))
    }
    assert between >= {"Taylor Swift", "Shania Twain"}
    several = [d for d in documents if d.type == "artist" and len(d.values("genre")) > 1]
    assert len(several) >= 200


def test_versions_guests_and_covers(documents: tuple[Document, ...]) -> None:
    tracks = [d for d in documents if d.type == "track"]
    versions = Counter(d.metadata.get("version") for d in tracks)
    assert min(versions["live"], versions["acoustic"], versions["remix"]) >= 15
    assert sum("featured" in d.metadata for d in tracks) >= 500
    assert sum("cover_of" in d.metadata for d in tracks) >= 150
    plain = {(d.metadata["artist"], d.title) for d in tracks if "version" not in d.metadata}
    again = [
        d for d in tracks if (d.metadata["artist"], d.title) in plain and "version" in d.metadata
    ]
    assert len(again) >= 30


def test_a_cover_is_not_older_than_what_it_covers(documents: tuple[Document, ...]) -> None:
    tracks = [d for d in documents if d.type == "track"]
    first: dict[tuple[str, str], int] = {}
    for d in tracks:
        key = (d.metadata["artist"], d.title.casefold())
        first[key] = min(first.get(key, 9999), d.metadata["year"])
    early = [
        d.id
        for d in tracks
        if "cover_of" in d.metadata
        and d.metadata["year"] < first.get((d.metadata["cover_of"], d.title.casefold()), 0)
    ]
    assert early == []
    assert [d.id for d in tracks if d.metadata.get("cover_of") == d.metadata["artist"]] == []


def test_many_decades_languages_and_scripts(documents: tuple[Document, ...]) -> None:
    tracks = [d for d in documents if d.type == "track"]
    decades = Counter(d.metadata["decade"] for d in tracks)
    assert all(decades[f"{year}s"] >= 100 for year in range(1950, 2030, 10))
    assert len({d.metadata["language"] for d in tracks}) >= 30
    scripts = Counter(
        script
        for d in tracks
        for script in {unicodedata.name(c, "?").split()[0] for c in d.title if c.isalpha()}
    )
    wanted = ("CYRILLIC", "CJK", "HIRAGANA", "HANGUL", "ARABIC", "HEBREW", "DEVANAGARI")
    assert {script: scripts[script] for script in wanted if scripts[script] < 5} == {}
    assert scripts["GREEK"] >= 1
    assert sum(unicodedata.normalize("NFD", d.title) != d.title for d in tracks) >= 300


def test_tayler_love_finds_taylor_swift(documents: tuple[Document, ...]) -> None:
    config = EngineConfig(generators=("bm25", "fuzzy"), budget=30.0)
    with SearchEngine.build(documents, config=config) as engine:
        page = engine.search("tayler love").hits
        swift = [hit for hit in page if "Taylor Swift" in hit.document.values("artist")]
        assert any("love" in hit.document.title.casefold() for hit in swift)
        assert engine.search("beleiver").hits[0].document.title == "Believer"


def spelt(text: str) -> str:
    """Letters and digits alone, without what stands in brackets."""
    text = unicodedata.normalize("NFKD", re.sub(r"\(.*?\)", "", text.casefold()))
    text = "".join(c for c in text.replace("&", "and") if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^a-z0-9 ]", "", text).split()).removeprefix("the ")


@pytest.mark.skipif(not BILLBOARD.exists(), reason="needs ../shared/data/billboard")
def test_hits_are_in_the_charts_and_in_the_right_year(documents: tuple[Document, ...]) -> None:
    """Of our hits by artists of the United States (popularity 80 and above, 1959 to 2025) nine in
    ten charted there, and nine in ten of those within a year of ours: a song may chart later."""
    charts: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for song in read_documents(BILLBOARD):
        year = int(song.metadata["first_chart"][:4])
        charts[spelt(song.title)].append((spelt(song.metadata["artist"]), year))
    hits = [
        d
        for d in documents
        if d.type == "track"
        and d.metadata["country"] == "US"
        and d.metadata["popularity"] >= 80
        and 1959 <= d.metadata["year"] <= 2025
        and "version" not in d.metadata
    ]
    assert len(hits) >= 150
    apart = []
    for hit in hits:
        artist = spelt(hit.metadata["artist"])
        years = [year for name, year in charts[spelt(hit.title)] if artist in name]
        if years:
            apart.append(abs(min(years) - hit.metadata["year"]))
    assert len(apart) >= 0.9 * len(hits)
    assert sum(years <= 1 for years in apart) >= 0.9 * len(apart)
