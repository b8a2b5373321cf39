"""Simulated listeners: each search means one item, is typed imperfectly, and clicks what it sees.

Their shares and rates stand in the table of `demo/rates.py`, their week in `demo/clock.py`. Where a
catalogue lacks a field (languages, moods, artists' own documents), what depends on it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.keyboard import prefix
from demo.clock import PARTS, intents_at, next_search, part_of
from demo.rates import (
    EVERYBODY,
    FAITHFUL,
    INTENTS,
    LISTENERS,
    MODEL,
    OTHER_KINDS,
    PAGE,
    SECOND_TRY,
    SECOND_TRY_SECONDS,
    SUITS,
    TYPED,
    WRONG_CLICK,
)
from demo.shelves import Shelves
from demo.tastes import Listener, draw_listener
from demo.wording import artist_name, genre_of, item_name, kind_of_music, other_words, typed
from engine import Context, Document, Response

__all__ = ["INTENTS", "MODEL", "PAGE", "TYPED", "Crowd", "Listener", "Wish"]

FIRST_DAY = datetime(2026, 1, 5, 7, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One search about to be made: the item it means is `item`, an id. `second_try`: the same was
    searched for a moment ago and not found."""

    intent: str
    user: str
    text: str
    item: str
    time: datetime
    second_try: bool = False

    @property
    def context(self) -> Context:
        """The context the search is made in."""
        return Context(user=self.user, time=self.time)


class Crowd:
    """All listeners of a catalogue; the same seed gives the same wishes for the same answers."""

    def __init__(
        self, documents: Sequence[Document], seed: int, listeners: int = LISTENERS
    ) -> None:
        self._shelves = Shelves(documents)
        self._rng = np.random.default_rng(seed)
        self.now = FIRST_DAY
        self._suiting = {part.name: self._shelves.suiting(part.suits) for part in PARTS}
        self._failed: Wish | None = None
        self.listeners = [
            draw_listener(f"listener{i}", self._shelves, self._rng) for i in range(listeners)
        ]

    def reseed(self, seed: int) -> None:
        """Let the same listeners wish for other things from now on."""
        self._rng = np.random.default_rng(seed)

    def wish(self) -> Wish:
        """The next search of somebody; after a page that failed, at times a second try."""
        failed, self._failed = self._failed, None
        if failed is not None and (again := self._second_try(failed)) is not None:
            return again
        rng = self._rng
        self.now = next_search(self.now, rng)
        listener = self.listeners[int(rng.integers(len(self.listeners)))]
        intent = str(rng.choice(list(INTENTS), p=intents_at(self.now)))
        if intent == "again" and not listener.played:
            intent = "known"
        row, text = getattr(self, f"_{intent}")(listener)
        return Wish(intent, listener.name, text, self._shelves.documents[row].id, self.now)

    def fulfilled(self) -> Wish:
        """The next search of somebody, who finds and plays what it means."""
        wish = self.wish()
        self._play(wish)
        return wish

    def _play(self, wish: Wish) -> None:
        listener = self.listeners[int(wish.user.removeprefix("listener"))]
        listener.played.append(self._shelves.row[wish.item])

    def _second_try(self, failed: Wish) -> Wish | None:
        """The same wish in other words; None where there are no other."""
        row = self._shelves.row[failed.item]
        text = other_words(self._shelves, failed.intent, row, self._rng)
        if text == failed.text:
            return None
        self.now += timedelta(seconds=float(self._rng.exponential(SECOND_TRY_SECONDS)))
        return Wish(failed.intent, failed.user, text, failed.item, self.now, second_try=True)

    def _suited(self, rows: list[int]) -> list[int]:
        """Those of the rows that suit the part of the week, for as many searches as mind it."""
        if self._rng.random() >= SUITS:
            return rows
        suiting = self._suiting[part_of(self.now).name]
        return [row for row in rows if row in suiting] or rows

    def _meant(self, listener: Listener) -> int:
        """A favourite, the dearer the likelier, or any track of the listener's artists."""
        if self._rng.random() >= FAITHFUL:
            return self._shelves.pick(self._suited(listener.tracks), self._rng)
        favourites = self._suited(listener.favourites)
        weight = 1.0 / np.arange(1, len(favourites) + 1)
        return favourites[int(self._rng.choice(weight.size, p=weight / weight.sum()))]

    def _known(self, listener: Listener) -> tuple[int, str]:
        shelves, rng = self._shelves, self._rng
        if listener.others and rng.random() < OTHER_KINDS:
            row = shelves.pick(listener.others, rng)
        elif rng.random() < EVERYBODY:
            row = shelves.pick(shelves.tracks, rng)
        else:
            row = self._meant(listener)
        return row, typed(item_name(shelves, row, rng), rng)

    def _artist(self, listener: Listener) -> tuple[int, str]:
        shelves, rng = self._shelves, self._rng
        row = self._meant(listener)
        artist = shelves.artist(row) or shelves.documents[row].title
        page = shelves.page(artist)
        if page is not None and rng.random() < 0.5:
            row = page
        return row, typed(artist_name(shelves, artist, rng), rng)

    def _topic(self, listener: Listener) -> tuple[int, str]:
        row = self._meant(listener)
        return row, typed(kind_of_music(self._shelves, row, self._rng), self._rng)

    def _again(self, listener: Listener) -> tuple[int, str]:
        back = min(int(self._rng.exponential(4.0)), len(listener.played) - 1)
        row = listener.played[-1 - back]
        return row, typed(prefix(self._shelves.documents[row].title, self._rng), self._rng)

    def _new(self, listener: Listener) -> tuple[int, str]:
        played = set(listener.played)
        fresh = [row for row in listener.tracks if row not in played] or listener.tracks
        row = self._shelves.pick(self._suited(fresh), self._rng)
        genre = genre_of(self._shelves, row)
        return row, typed(genre, self._rng) if genre else ""

    def clicks(self, wish: Wish, response: Response) -> list[str]:
        """What is clicked on the page; the wanted item, once clicked, is played. Where it is not
        clicked, the next wish may be a second try."""
        shown = [hit.id for hit in response.hits[:PAGE]]
        attraction = np.array([1.0 if id == wish.item else WRONG_CLICK for id in shown])
        clicked = MODEL.clicks(attraction, self._rng)
        chosen = [id for id, click in zip(shown, clicked.tolist(), strict=True) if click]
        if wish.item in chosen:
            self._play(wish)
        elif not wish.second_try and self._rng.random() < SECOND_TRY:
            self._failed = wish
        return chosen
