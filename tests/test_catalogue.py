"""The demo's catalogue holds together, and its loader says where a file is wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from demo.catalogue import MOODS, VERSIONS, catalogue, slug
from retrievers.base import Document

SMALL = """# A comment
Artist: Nobody | since 1990 | US | en | rock, pop | 60
Album: First | 1992
- Song | 50 | mood calm, dark
- Hymn | 40 | 1991 | feat Earth, Wind & Fire; | genre gospel | cover of Somebody
Album: First | 1999 | jazz | also The Other One
- Song | 30 | version live
Singles:
- Ночь | 20 | 2001 | also Noch
- Song | 10 | 2005 | version remix
"""


@pytest.fixture(scope="module")
def documents() -> tuple[Document, ...]:
    return catalogue()


def read(folder: Path, text: str) -> dict[str, Document]:
    (folder / "small.txt").write_text(text, encoding="utf-8")
    return {document.id: document for document in catalogue(folder)}


def of(documents: tuple[Document, ...], kind: str) -> list[Document]:
    return [document for document in documents if document.type == kind]


def test_the_catalogue_is_large_enough(documents: tuple[Document, ...]) -> None:
    counts = Counter(document.type for document in documents)
    least = {
        "artist": 250,
        "album": 500,
        "track": 2000,
        "playlist": 100,
        "station": 40,
        "podcast": 40,
    }
    assert {kind: counts[kind] for kind in least if counts[kind] < least[kind]} == {}
    assert set(counts) == set(least)


def test_ids_are_unique_and_ascii(documents: tuple[Document, ...]) -> None:
    ids = [document.id for document in documents]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not name.isascii() or " " in name] == []
    assert all(document.id.startswith(f"{document.type}:") for document in documents)


def test_nothing_is_older_than_its_artist(documents: tuple[Document, ...]) -> None:
    since = {artist.title: artist.metadata["year"] for artist in of(documents, "artist")}
    early = [
        document.id
        for document in of(documents, "album") + of(documents, "track")
        if document.metadata["year"] < since[document.metadata["artist"]]
    ]
    assert early == []


def test_nothing_stands_twice(documents: tuple[Document, ...]) -> None:
    tracks = Counter(
        (track.metadata["artist"], track.title.casefold(), track.metadata.get("version"))
        for track in of(documents, "track")
    )
    albums = Counter(
        (album.metadata["artist"], album.title.casefold(), album.metadata["year"])
        for album in of(documents, "album")
    )
    others = Counter(
        (document.type, document.title.casefold())
        for document in documents
        if document.type not in ("album", "track")
    )
    assert [key for key, count in (tracks + albums + others).items() if count > 1] == []


def test_every_album_of_a_track_is_in_the_catalogue(documents: tuple[Document, ...]) -> None:
    albums = {(album.metadata["artist"], album.title) for album in of(documents, "album")}
    strays = [
        track.id
        for track in of(documents, "track")
        if "album" in track.metadata
        and (track.metadata["artist"], track.metadata["album"]) not in albums
    ]
    assert strays == []


def test_fields_hold_only_known_values(documents: tuple[Document, ...]) -> None:
    for document in documents:
        metadata = document.metadata
        assert metadata["type"] == document.type
        assert 0 <= metadata["popularity"] <= 100, document.id
        assert set(metadata.get("mood", ())) <= set(MOODS), document.id
        assert metadata.get("version") in (None, *VERSIONS), document.id
        assert all(genre == genre.lower() for genre in metadata.get("genre", ())), document.id
        if document.type in ("artist", "album", "track"):
            assert metadata["genre"], document.id
            assert len(metadata["country"]) == 2, document.id
            assert metadata["country"].isupper(), document.id
            assert len(metadata["language"]) in (2, 3), document.id
            assert metadata["decade"] == f"{str(metadata['year'])[:3]}0s"
        else:
            assert document.text, document.id


def test_most_tracks_have_a_mood(documents: tuple[Document, ...]) -> None:
    tracks = of(documents, "track")
    assert sum("mood" in track.metadata for track in tracks) >= 0.6 * len(tracks)


@pytest.mark.parametrize(
    ("title", "artists"),
    [
        ("hello", {"Adele", "Evanescence", "Lionel Richie"}),
        ("halo", {"Beyoncé", "Depeche Mode"}),
        ("hurt", {"Nine Inch Nails", "Christina Aguilera", "Johnny Cash"}),
        ("hallelujah", {"Jeff Buckley", "Leonard Cohen"}),
        ("closer", {"The Chainsmokers", "Nine Inch Nails", "Ne-Yo"}),
        ("believer", {"Imagine Dragons", "Ozzy Osbourne", "American Authors"}),
        ("one", {"U2", "Metallica"}),
        ("creep", {"Radiohead", "TLC"}),
    ],
)
def test_names_that_several_artists_share(
    documents: tuple[Document, ...], title: str, artists: set[str]
) -> None:
    found = {
        track.metadata["artist"]
        for track in of(documents, "track")
        if track.title.casefold() == title
    }
    assert artists <= found


def test_a_track_has_what_its_album_and_artist_have(tmp_path: Path) -> None:
    found = read(tmp_path, SMALL)
    song = found["track:nobody/song"]
    assert (song.title, song.text, song.type) == ("Song", "", "track")
    assert song.metadata == {
        "type": "track",
        "artist": "Nobody",
        "album": "First",
        "year": 1992,
        "decade": "1990s",
        "genre": ["rock", "pop"],
        "mood": ["calm", "dark"],
        "language": "en",
        "country": "US",
        "popularity": 50,
    }
    hymn = found["track:nobody/hymn"].metadata
    assert (hymn["year"], hymn["genre"], hymn["cover_of"]) == (1991, ["gospel"], "Somebody")
    assert hymn["featured"] == ["Earth, Wind & Fire"]
    live = found["track:nobody/song-live"].metadata
    assert (live["version"], live["genre"]) == ("live", ["jazz"])


def test_an_album_without_genres_has_its_artists_not_the_album_before(tmp_path: Path) -> None:
    found = read(tmp_path, SMALL + "Album: Second | 2001\n- Tune | 20\n")
    assert found["album:nobody/first-1999"].metadata["genre"] == ["jazz"]
    assert found["album:nobody/second"].metadata["genre"] == ["rock", "pop"]
    last = "Album: Third | 2002 | folk\n- Air | 20\nAlbum: Fourth | 2003\n- Round | 20\n"
    found = read(tmp_path, SMALL + last)
    assert found["album:nobody/fourth"].metadata["genre"] == ["rock", "pop"]
    assert found["track:nobody/round"].metadata["genre"] == ["rock", "pop"]


def test_ids_that_clash_are_told_apart(tmp_path: Path) -> None:
    assert list(read(tmp_path, SMALL)) == [
        "artist:nobody",
        "album:nobody/first",
        "track:nobody/song",
        "track:nobody/hymn",
        "album:nobody/first-1999",
        "track:nobody/song-live",
        "track:nobody/noch",
        "track:nobody/song-remix",
    ]


def test_the_plain_version_keeps_the_short_id_in_any_order(tmp_path: Path) -> None:
    artist = "Artist: A | since 1990 | US | en | pop | 1\nSingles:\n"
    found = read(tmp_path, f"{artist}- B | 2 | 1991 | version live\n- B | 3 | 1995\n")
    assert found["track:a/b"].metadata["year"] == 1995
    assert found["track:a/b-live"].metadata["year"] == 1991


def test_an_album_is_as_popular_as_its_artist_and_best_track(tmp_path: Path) -> None:
    found = read(tmp_path, SMALL)
    assert found["album:nobody/first"].metadata["popularity"] == (60 + 50) / 2
    assert found["album:nobody/first-1999"].metadata["popularity"] == (60 + 30) / 2


def test_a_playlist_has_a_description_and_an_era(tmp_path: Path) -> None:
    line = "Station: Night Wave | 40 | mood music, soft | genre ambient | mood calm | era 1980s"
    station = read(tmp_path, line)["station:night-wave"]
    assert station.text == "mood music, soft"
    assert station.metadata == {
        "type": "station",
        "popularity": 40,
        "genre": ["ambient"],
        "mood": ["calm"],
        "decade": "1980s",
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nonsense", "expected `Artist:`"),
        ("Album: First", "album with fixed fields []"),
        ("Album: First | soon", "expected a year"),
        ("- Song | 101 | 2000", "popularity"),
        ("- Song | loud | 2000", "popularity"),
        ("- Song | 50 | 2000 | mood gloomy", "a mood"),
        ("- Song | 50 | 2000 | version loud", "a version"),
        ("- Song | 50", "a single needs a year"),
        ("- Song | 50 | 2000 | era 1980s", "`era` does not belong"),
        ("- Song | 50 | 2000 | mood calm | mood dark", "stands twice"),
        ("Playlist: P | 50", "playlist with fixed fields ['50']"),
        ("- Hymn | 50 | 2000", "stands already at small.txt:5"),
        ("Artist: nobody | since 2000 | US | en | pop | 1", "stands already at small.txt:2"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^small\.txt:11:") as error:
        read(tmp_path, SMALL + line + "\n")
    assert says in str(error.value)


def test_a_track_needs_an_artist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^small\.txt:1: track without an artist"):
        read(tmp_path, "- Song | 50 | 2000")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Sigur Rós",), "sigur-ros"),
        (("Røyksopp & Friends",), "royksopp-and-friends"),
        (("Don't Stop 'Til You Get Enough",), "dont-stop-til-you-get-enough"),
        (("×", "Multiply"), "multiply"),
        (("Кино", "Kino"), "kino"),
        (("夜に駆ける", "Yoru ni Kakeru"), "yoru-ni-kakeru"),
    ],
)
def test_slugs(names: tuple[str, ...], expected: str) -> None:
    assert slug(names) == expected


def test_a_name_without_romanisation_has_a_stable_slug() -> None:
    assert slug(("東京",)) == slug(("東京",)) != slug(("京都",))
    assert slug(("東京",)).isascii()
