"""A catalogue as its listeners know it: tracks by artist, genre, era, language and mood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from demo.nicknames import nicknames
from demo.rates import POPULARITY
from engine import Document

GENRES = ("genre", "tags")
"""Fields that name kinds of music."""
KINDS = ("mood", *GENRES, "decade")
"""Fields that a listener without a name in mind searches by."""


class Shelves:
    """Rows of a catalogue by what their metadata says; fields may be missing. A catalogue without
    documents of type `track` is taken to hold nothing else."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self.row = {document.id: row for row, document in enumerate(documents)}
        self.tracks = [r for r, d in enumerate(documents) if d.type == "track"] or list(
            range(len(documents))
        )
        tracks = set(self.tracks)
        self.others = [r for r, d in enumerate(documents) if r not in tracks and d.type != "artist"]
        self.weight = (
            np.array([1.0 + float(d.metadata.get("popularity", 30)) for d in documents])
            ** POPULARITY
        )
        self._pages = {d.title: row for row, d in enumerate(documents) if d.type == "artist"}
        self._nicknames = nicknames()
        self._artists = [tuple(d.values("artist")) for d in documents]
        self._of: dict[str, dict[str, list[int]]] = {}
        for row in self.tracks:
            for key in ("artist", "language", *KINDS):
                for value in documents[row].values(key):
                    self._of.setdefault(key, {}).setdefault(value, []).append(row)
        self.languages = self._sizes("language")
        self.decades = sorted(self._sizes("decade"))
        self.genres: dict[str, set[int]] = {}
        for key in GENRES:
            for genre, rows in self._of.get(key, {}).items():
                self.genres.setdefault(genre, set()).update(rows)

    def _sizes(self, key: str) -> dict[str, int]:
        return {value: len(rows) for value, rows in self._of.get(key, {}).items()}

    def rows(self, key: str, values: Iterable[str]) -> set[int]:
        """Tracks with one of the values."""
        of = self._of.get(key, {})
        return {row for value in values for row in of.get(value, ())}

    def of_artist(self, artist: str) -> list[int]:
        """The artist's tracks."""
        return self._of.get("artist", {}).get(artist, [])

    def artists(self, rows: Iterable[int]) -> list[str]:
        """The artists of the rows, in the order of the alphabet."""
        return sorted({artist for row in rows for artist in self._artists[row]})

    def artist(self, row: int) -> str:
        """The first artist named there; empty where none is."""
        return next(iter(self._artists[row]), "")

    def page(self, artist: str) -> int | None:
        """The row of the artist's own document."""
        return self._pages.get(artist)

    def called(self, artist: str) -> tuple[str, ...]:
        """What else the artist is called."""
        page = self.page(artist)
        also = () if page is None else tuple(self.documents[page].values("also"))
        return (*self._nicknames.get(artist, ()), *also)

    def kinds(self, row: int) -> list[tuple[str, str]]:
        """(field, value) of each kind of music that an item is of."""
        return [(key, value) for key in KINDS for value in self.documents[row].values(key)]

    def suiting(self, suits: frozenset[str]) -> frozenset[int]:
        """Tracks of one of the moods or genres."""
        return frozenset(
            self.rows("mood", suits) | self.rows("genre", suits) | self.rows("tags", suits)
        )

    def pick(self, rows: Sequence[int], rng: np.random.Generator) -> int:
        """One of the rows, the more popular the likelier."""
        weight = self.weight[list(rows)]
        return rows[int(rng.choice(len(rows), p=weight / weight.sum()))]
