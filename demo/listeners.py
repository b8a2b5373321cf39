"""Simulated listeners: each search means one item, is typed imperfectly, and clicks what it sees.

Shares and rates, all of the demo's own choosing; what real traffic looks like differs by service:

| what | value |
|---|---|
| searches for a known item | 45% |
| searches for an artist, meaning the artist (half of them) or one of the tracks | 20% |
| searches for a genre, mood or decade, meaning one item of the listener's taste | 15% |
| searches for what the listener played before, by a few words of it | 12% |
| searches with no more than a kind of music in mind, meaning something not played yet | 8% |
| queries typed as meant | 45%; else a slip 22%, a prefix 15%, no accents 6%, swapped words 6%, a word left out 6% |
| examination of rank r | r ** -0.5, the first ten |
| a wrong click on an examined item | 2% |
| listeners | 60, each with three genres, twelve artists and thirty favourite tracks |
| a favourite is meant | 80%, the r-th favourite in proportion to 1 / r; else any track of the artists |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.clicks import PositionBased
from benchmarks.keyboard import plain, prefix, slip, swapped, without_a_word
from engine import Context, Document, Response

INTENTS = {"known": 0.45, "artist": 0.20, "topic": 0.15, "again": 0.12, "new": 0.08}
TYPED = {"exact": 0.45, "slip": 0.22, "prefix": 0.15, "plain": 0.06, "swapped": 0.06, "short": 0.06}
MODEL = PositionBased(severity=0.5)
WRONG_CLICK = 0.02
PAGE = 10
LISTENERS = 60
FAVOURITES = 30
FAITHFUL = 0.8
FIRST_DAY = datetime(2026, 1, 5, 7, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wish:
    """One search about to be made: the item it means is `item`, an id."""

    intent: str
    user: str
    text: str
    item: str
    time: datetime

    @property
    def context(self) -> Context:
        """The context the search is made in."""
        return Context(user=self.user, time=self.time)


@dataclass(slots=True)
class Listener:
    """Tastes, and what was played so far, newest last."""

    name: str
    genres: tuple[str, ...]
    artists: tuple[str, ...]
    tracks: list[int]
    favourites: list[int]
    played: list[int] = field(default_factory=list)


class Crowd:
    """All listeners of a catalogue; the same seed gives the same wishes for the same answers."""

    def __init__(
        self, documents: Sequence[Document], seed: int, listeners: int = LISTENERS
    ) -> None:
        self._documents = documents
        self._rng = np.random.default_rng(seed)
        self.now = FIRST_DAY
        self._row = {document.id: row for row, document in enumerate(documents)}
        self._tracks = [r for r, d in enumerate(documents) if d.type == "track"] or list(
            range(len(documents))
        )
        self._weight = np.array([1.0 + float(d.metadata.get("popularity", 30)) for d in documents])
        self._artists = {d.title: row for row, d in enumerate(documents) if d.type == "artist"}
        self._by: dict[tuple[str, str], list[int]] = {}
        for row in self._tracks:
            for key in ("artist", "genre", "tags", "mood", "decade"):
                for value in documents[row].values(key):
                    self._by.setdefault((key, value), []).append(row)
        self.listeners = [self._listener(f"listener{i}") for i in range(listeners)]

    def _pick(self, rows: Sequence[int]) -> int:
        """One of the rows, the more popular the likelier."""
        weight = self._weight[list(rows)] ** 1.5
        return rows[int(self._rng.choice(len(rows), p=weight / weight.sum()))]

    def _listener(self, name: str) -> Listener:
        rng = self._rng
        of_genre = {v: rows for (key, v), rows in self._by.items() if key in ("genre", "tags")}
        genres: tuple[str, ...] = ()
        pool = self._tracks
        if of_genre:
            names = sorted(of_genre)
            sizes = np.array([len(of_genre[g]) for g in names], np.float64)
            count = min(3, len(names))
            chosen = rng.choice(len(names), size=count, replace=False, p=sizes / sizes.sum())
            genres = tuple(names[i] for i in chosen.tolist())
            pool = sorted({row for genre in genres for row in of_genre[genre]})
        artists = sorted({a for row in pool for a in self._documents[row].values("artist")})
        if artists:
            chosen = rng.choice(len(artists), size=min(12, len(artists)), replace=False)
            artists = [artists[i] for i in sorted(chosen.tolist())]
        mine = sorted({row for a in artists for row in self._by.get(("artist", a), ())})
        tracks = mine or pool
        weight = self._weight[tracks] ** 1.5
        count = min(FAVOURITES, len(tracks))
        chosen = rng.choice(len(tracks), size=count, replace=False, p=weight / weight.sum())
        return Listener(name, genres, tuple(artists), tracks, [tracks[i] for i in chosen.tolist()])

    def _meant(self, listener: Listener) -> int:
        """A favourite, the dearer the likelier, or any track of the listener's artists."""
        if self._rng.random() >= FAITHFUL:
            return self._pick(listener.tracks)
        weight = 1.0 / np.arange(1, len(listener.favourites) + 1)
        return listener.favourites[int(self._rng.choice(weight.size, p=weight / weight.sum()))]

    def wish(self) -> Wish:
        """The next search of somebody."""
        rng = self._rng
        self.now += timedelta(minutes=float(rng.exponential(12.0)))
        listener = self.listeners[int(rng.integers(len(self.listeners)))]
        intent = str(rng.choice(list(INTENTS), p=list(INTENTS.values())))
        if intent == "again" and not listener.played:
            intent = "known"
        row, text = getattr(self, f"_{intent}")(listener)
        return Wish(intent, listener.name, text, self._documents[row].id, self.now)

    def _known(self, listener: Listener) -> tuple[int, str]:
        row = self._meant(listener)
        document = self._documents[row]
        artist = next(iter(document.values("artist")), "")
        form = self._rng.random()
        if form < 0.65 or not artist:
            return row, self._typed(document.title)
        words = (document.title, artist) if form < 0.9 else (artist, document.title)
        return row, self._typed(" ".join(words))

    def _artist(self, listener: Listener) -> tuple[int, str]:
        row = self._meant(listener)
        artist = next(iter(self._documents[row].values("artist")), self._documents[row].title)
        page = self._artists.get(artist)
        if page is not None and self._rng.random() < 0.5:
            row = page
        return row, self._typed(artist)

    def _topic(self, listener: Listener) -> tuple[int, str]:
        row = self._meant(listener)
        document = self._documents[row]
        kinds = [(k, v) for k in ("mood", "genre", "tags", "decade") for v in document.values(k)]
        if not kinds:
            return row, self._typed(document.title)
        first = kinds[int(self._rng.integers(len(kinds)))]
        others = [value for key, value in kinds if key != first[0]]
        if others and self._rng.random() < 0.4:
            second = others[int(self._rng.integers(len(others)))]
            return row, self._typed(f"{first[1]} {second}")
        return row, self._typed(first[1])

    def _again(self, listener: Listener) -> tuple[int, str]:
        row = listener.played[-1 - min(int(self._rng.exponential(4.0)), len(listener.played) - 1)]
        return row, self._typed(prefix(self._documents[row].title, self._rng))

    def _new(self, listener: Listener) -> tuple[int, str]:
        fresh = [row for row in listener.tracks if row not in listener.played]
        row = self._pick(fresh or listener.tracks)
        genres = self._documents[row].values("genre") or self._documents[row].values("tags")
        return row, self._typed(genres[0]) if genres else ""

    def _typed(self, text: str) -> str:
        text = text.lower()
        how = str(self._rng.choice(list(TYPED), p=list(TYPED.values())))
        if how == "slip":
            return slip(plain(text), self._rng)
        if how == "plain":
            return plain(text)
        if how == "exact":
            return text
        change = {"prefix": prefix, "swapped": swapped, "short": without_a_word}[how]
        return change(text, self._rng)

    def clicks(self, wish: Wish, response: Response) -> list[str]:
        """What is clicked on the page; the wanted item, once clicked, is played."""
        shown = [hit.id for hit in response.hits[:PAGE]]
        attraction = np.array([1.0 if id == wish.item else WRONG_CLICK for id in shown])
        clicked = MODEL.clicks(attraction, self._rng)
        chosen = [id for id, click in zip(shown, clicked.tolist(), strict=True) if click]
        if wish.item in chosen:
            listener = self.listeners[int(wish.user.removeprefix("listener"))]
            listener.played.append(self._row[wish.item])
        return chosen
