"""A track that is new: found by its name at once, by its mood when it has been heard."""

from __future__ import annotations

import time
from dataclasses import dataclass

from demo.listeners import PAGE, Crowd
from demo.listening import search
from engine import Context, Document, Event, SearchEngine

NEW = Document(
    "track:the-harbour-clocks/lantern-weather",
    "Lantern Weather",
    "",
    "track",
    {
        "type": "track",
        "artist": "The Harbour Clocks",
        "year": 2026,
        "decade": "2020s",
        "genre": ["indie folk"],
        "mood": ["calm"],
        "language": "en",
        "country": "GB",
        "popularity": 20,
    },
)
"""No such track was there when the catalogue was written."""
BETWEEN = 20
"""Searches that listeners make before each step."""
HEARERS = 5
"""Listeners who hear a new item between two `learn`s."""
ROUNDS = 4
"""Times that so many are let hear it, at most."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """What became of an added item. Places are ranks on the page, from 1; 0: it is not there.

    `adding_ms`: time of `add`; `found_ms`: from before `add` until the page for its name was there.
    `unheard`: its place for its mood when it had just been added; `heard`: clicks on it until
    `of_mood` was measured; `learning_ms`: time of all `learn`s in between.
    """

    document: Document
    mood: str
    adding_ms: float
    found_ms: float
    by_name: int
    unheard: int
    heard: int
    learning_ms: float
    of_mood: int


def add_and_hear(engine: SearchEngine, crowd: Crowd, document: Document = NEW) -> NewItem:
    """Add an item while listeners search, look for its name, let some of them hear it, look for its
    mood.

    They hear it as one hears what is new: they search for its mood among the releases of its year
    (a filter) and click on it where it is shown. The engine learns after each handful of them,
    until the item is on the first page of its mood for somebody who has never searched.
    """
    mood, year = document.values("mood")[0], document.values("year")[0]
    _go_on(engine, crowd)
    started = time.perf_counter()
    engine.add([document])
    added = time.perf_counter()
    by_name = _place(engine, crowd, document, document.title)
    found = time.perf_counter()
    unheard = of_mood = _place(engine, crowd, document, mood)
    heard, learning = 0, 0.0
    for start in range(0, ROUNDS * HEARERS, HEARERS):
        _go_on(engine, crowd)
        for n in range(start, start + HEARERS):
            listener = crowd.listeners[n % len(crowd.listeners)]
            releases = Context(user=listener.name, time=crowd.now, filters={"year": year})
            response = engine.search(mood, releases, PAGE)
            if document.id in [hit.id for hit in response.hits]:
                heard += 1
                click = Event("click", document.id, crowd.now)
                engine.feedback(response.impression_id, events=[click])
        before = time.perf_counter()
        engine.learn()
        learning += time.perf_counter() - before
        of_mood = _place(engine, crowd, document, mood)
        if of_mood:
            break
    return NewItem(
        document, mood, 1000 * (added - started), 1000 * (found - started), by_name, unheard, heard,
        1000 * learning, of_mood,
    )  # fmt: skip


def told(new: NewItem) -> list[str]:
    """The same in words."""
    name = f"“{new.document.title}” by {', '.join(new.document.values('artist'))}"
    return [
        f"{name} was added in {new.adding_ms:.0f} ms while listeners searched; {new.found_ms:.0f} ms "
        f"after that began, a search for its name showed it {_at(new.by_name)}.",
        f"A search for “{new.mood}” showed it {_at(new.unheard)}; after {new.heard} listeners had "
        f"heard it and {new.learning_ms:.0f} ms of learning, {_at(new.of_mood)}.",
    ]


def _at(place: int) -> str:
    return f"at place {place}" if place else "nowhere on the first page"


def _go_on(engine: SearchEngine, crowd: Crowd) -> None:
    for _ in range(BETWEEN):
        search(engine, crowd.wish(), crowd)


def _place(engine: SearchEngine, crowd: Crowd, document: Document, text: str) -> int:
    page = [hit.id for hit in engine.search(text, Context(time=crowd.now), PAGE).hits]
    return page.index(document.id) + 1 if document.id in page else 0
