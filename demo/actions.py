"""What the demo's music player can do, declared as typed functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np

from conversation.actions import Actions
from conversation.world import Finder, Rows, World
from retrievers.base import Document

Kind = Literal["track", "album", "artist", "playlist", "station", "podcast"]
Order = Literal["newest", "oldest", "popular"]
Version = Literal["live", "acoustic", "remix", "instrumental"]
Fact = Literal["year", "artist", "album", "genre"]


class MusicActions:
    """The actions over a catalogue; each gives the rows that it is about, best first."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.world = World(documents)

    def search(
        self,
        kind: Kind | None = None,
        artist: str | None = None,
        track: str | None = None,
        album: str | None = None,
        genre: str | None = None,
        mood: str | None = None,
        decade: str | None = None,
        version: Version | None = None,
        not_version: Version | None = None,
        not_artist: str | None = None,
        sort: Order | None = None,
    ) -> Rows:
        """Show what the catalogue has.

        kind: tracks, albums, artists, playlists, stations or podcasts
        artist: who made it
        track: title of a song
        album: title of an album
        genre: kind of music
        mood: feeling of the music
        decade: when it came out
        version: live, acoustic, remix or instrumental
        not_version: a version that is not wanted
        not_artist: somebody who is not wanted
        sort: newest, oldest or most popular first
        """
        given = {n: v for n, v in locals().items() if n != "self"}
        return self.world.matching(given)

    def refine(
        self,
        kind: Kind | None = None,
        artist: str | None = None,
        track: str | None = None,
        album: str | None = None,
        genre: str | None = None,
        mood: str | None = None,
        decade: str | None = None,
        version: Version | None = None,
        not_version: Version | None = None,
        not_artist: str | None = None,
        sort: Order | None = None,
    ) -> Rows:
        """Narrow or change the last search.

        kind: tracks, albums, artists, playlists, stations or podcasts
        artist: who made it
        track: title of a song
        album: title of an album
        genre: kind of music
        mood: feeling of the music
        decade: when it came out
        version: live, acoustic, remix or instrumental
        not_version: a version that is not wanted
        not_artist: somebody who is not wanted
        sort: newest, oldest or most popular first
        """
        given = {n: v for n, v in locals().items() if n != "self"}
        return self.world.matching(given)

    def play(
        self,
        kind: Kind | None = None,
        artist: str | None = None,
        track: str | None = None,
        album: str | None = None,
        playlist: str | None = None,
        station: str | None = None,
        podcast: str | None = None,
        genre: str | None = None,
        mood: str | None = None,
        decade: str | None = None,
        version: Version | None = None,
        sort: Order | None = None,
    ) -> Rows:
        """Play music now.

        kind: tracks, albums, artists, playlists, stations or podcasts
        artist: who made it
        track: title of a song
        album: title of an album
        playlist: title of a playlist
        station: name of a radio station
        podcast: title of a podcast
        genre: kind of music
        mood: feeling of the music
        decade: when it came out
        version: live, acoustic, remix or instrumental
        sort: newest, oldest or most popular first
        """
        given = {n: v for n, v in locals().items() if n != "self"}
        return self.world.matching(given)

    def related(self, artist: str) -> Rows:
        """Offer something similar: artists whose music is like this one's.

        artist: whose music it should be like
        """
        rows = self.world.matching({"kind": "artist", "artist": artist})
        if not len(rows):
            return rows
        genres = {*self.world.facts(int(rows[0]), "genre")}
        others = [self.world.having("genre", genre) for genre in sorted(genres)]
        near, shared = np.unique(np.concatenate([rows[:0], *others]), return_counts=True)
        artists = np.array([self.world.documents[r].type == "artist" for r in near], np.bool_)
        near, shared = near[artists & (near != rows[0])], shared[artists & (near != rows[0])]
        order = np.lexsort((near, -self.world.popularity[near], -shared))
        return np.asarray(near[order], np.int64)

    def answer(
        self,
        fact: Fact,
        track: str | None = None,
        album: str | None = None,
        artist: str | None = None,
    ) -> Rows:
        """Answer a question about a song, an album or an artist.

        fact: what the user wants to know
        track: the song asked about
        album: the album asked about
        artist: whose it is
        """
        del fact
        return self.world.matching({"track": track, "album": album, "artist": artist})

    def add(self, track: str, playlist: str) -> Rows:
        """Put a song on a playlist.

        track: the song
        playlist: where it goes
        """
        del playlist
        return self.world.matching({"track": track})


def actions(documents: Iterable[Document]) -> Actions:
    """The demo's actions over a catalogue."""
    of = MusicActions(documents)
    return Actions([of.search, of.refine, of.play, of.related, of.answer, of.add])


def finders(documents: Iterable[Document]) -> Mapping[str, Finder]:
    """What the actions are about: asking has no other effect."""
    of = MusicActions(documents)
    does: tuple[Finder, ...] = (of.search, of.refine, of.play, of.related, of.answer, of.add)
    return {finder.__name__: finder for finder in does}
