"""Listeners search, click, and the engine learns, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.walk import Asked
from demo.listeners import PAGE, Crowd, Wish
from engine import Event, SearchEngine
from engine.full_answers import FullAnswers
from engine.state import State
from engine.understanding import read
from retrievers.base import Query

ROUND = 500
"""Searches between two `learn`s, at first."""
GROWTH = 0.15
"""A round is at least this share of the searches before it: what is known changes more slowly."""


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """One search as it was answered. `place`: the rank of the wanted item on the page, from 1; 0 where
    it was not there. `depths` (s,): the plan."""

    wish: Wish
    place: int
    candidates: int
    depths: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """A search with what every generator has for it at full depth, on the state that answered it."""

    searched: Searched
    state: State
    asked: Asked


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """Searches answered on one state; of some of them the full answers."""

    searched: list[Searched]
    observed: list[Observed]


def rounds(searches: int) -> list[int]:
    """Sizes of rounds, that sum up to `searches`."""
    sizes: list[int] = []
    while (left := searches - sum(sizes)) > 0:
        size = max(ROUND, int(GROWTH * sum(sizes)))
        sizes.append(left if left < 1.5 * size else size)
    return sizes


def asked_in_full(ask: FullAnswers, state: State, wish: Wish) -> Asked:
    """What all generators have for a wish; the wanted row is for measuring alone."""
    query = read(state, Query(wish.text, wish.context, typed=wish.text), [], {})
    hits = ask(query)
    row = state.catalog.row(wish.item)
    wanted = np.array([] if row is None else [row], np.int32)
    return Asked(wish.text, query, hits, [0.0] * len(hits), wanted, ())


def observe(engine: SearchEngine, wishes: Sequence[Wish], progress: bool = False) -> list[Observed]:
    """Answer wishes; nobody clicks, nothing is learnt."""
    state = engine.state
    ask = FullAnswers(state)
    bar = tqdm(wishes, desc="comparing", unit=" searches", disable=not progress)
    return [Observed(search(engine, one)[0], state, asked_in_full(ask, state, one)) for one in bar]


def search(engine: SearchEngine, wish: Wish, crowd: Crowd | None = None) -> tuple[Searched, bool]:
    """Answer a wish and, where a crowd is given, click; (what came of it, whether anything was
    clicked)."""
    response = engine.search(wish.text, wish.context, PAGE)
    page = [hit.id for hit in response.hits]
    place = page.index(wish.item) + 1 if wish.item in page else 0
    depths = np.array(list(response.plan.values()), np.int32)
    searched = Searched(wish, place, response.candidates, depths)
    clicked = crowd.clicks(wish, response) if crowd is not None else []
    if clicked:
        engine.feedback(
            response.impression_id, events=[Event("click", id, wish.time) for id in clicked]
        )
    return searched, bool(clicked)


def listen(
    engine: SearchEngine,
    crowd: Crowd,
    searches: int,
    *,
    observed: int = 0,
    progress: bool = True,
    after: Callable[[Round], None] | None = None,
) -> list[Round]:
    """Let a crowd search and the engine learn after each round. Of each round, `observed` searches
    evenly spread are also answered in full, before anything of the round is learnt. `after` sees
    each round before its `learn`."""
    made: list[Round] = []
    sizes = rounds(searches)
    with tqdm(
        total=searches, desc="listeners searching", unit=" searches", disable=not progress
    ) as bar:
        ask = FullAnswers(engine.state)
        for size, end in zip(sizes, accumulate(sizes), strict=True):
            state = engine.state
            ask = ask.after(state)
            full = set(np.linspace(0, size - 1, min(observed, size)).astype(int).tolist())
            done = Round([], [])
            for i in range(size):
                wish = crowd.wish()
                searched, _ = search(engine, wish, crowd)
                done.searched.append(searched)
                if i in full:
                    done.observed.append(Observed(searched, state, asked_in_full(ask, state, wish)))
                bar.update()
            made.append(done)
            if after is not None:
                after(done)
            bar.set_description("learning")
            report = engine.learn()
            if progress:
                bar.write(
                    f"after {end:,} searches: learnt {report.events} clicks in "
                    f"{report.seconds:.1f} s; {report.verdict}"
                )
            bar.set_description("listeners searching")
    return made
