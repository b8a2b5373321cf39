"""Listeners who visit a server: they search, click, and it learns while others look on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from demo.comparison import FIXED, LTRR, ORACLE, RRF, Compared, compare
from demo.listeners import Crowd
from demo.listening import Observed, asked_in_full, search
from demo.rates import MINUTES
from engine import SearchEngine
from engine.full_answers import FullAnswers

ROUNDS = 2
"""Times the server learns in one visit."""
OBSERVED = 60
"""Searches of each round that every system answers, to be compared."""
SYSTEMS = (LTRR, RRF, FIXED, ORACLE)


@dataclass(frozen=True, slots=True)
class VisitRound:
    """Searches up to `until` of the visit, answered on one state. `success`: by system, the share of
    the searches that all answered whose wanted item was on the page; `regret`: by system, how many
    more of the visit's searches it would have answered, as far as those tell."""

    until: int
    success: Mapping[str, float]
    candidates: float
    regret: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Visit:
    """How far listeners are: `found` of the `done` searches had what was wanted on the page."""

    stage: Literal["searching", "comparing", "learning"]
    done: int
    found: int
    rounds: tuple[VisitRound, ...]


def visit(
    engine: SearchEngine, searches: int, learn: Callable[[], object], seed: int
) -> Iterator[Visit]:
    """Let a crowd make `searches` in the last days before now; `learn` is called after each round.

    The regulars are the same on every visit, what they wish differs by `seed`. Ends early where the
    caller stops asking.
    """
    documents = [document for _, document in engine.state.catalog.documents()]
    crowd = Crowd(documents, 0)
    crowd.reseed(seed)
    # A day more than it takes in the mean: few search at night, whenever that is.
    crowd.now = datetime.now(UTC) - timedelta(days=1, minutes=1.2 * MINUTES * searches)
    now = Visit("searching", 0, 0, ())
    regret = dict.fromkeys(SYSTEMS, 0.0)
    ends = [searches * (r + 1) // ROUNDS for r in range(ROUNDS)]
    ask = FullAnswers(engine.state)
    for start, end in zip([0, *ends], ends, strict=False):
        state = engine.state
        ask = ask.after(state)
        full = set(np.linspace(start, end - 1, min(OBSERVED, end - start)).astype(int).tolist())
        observed: list[Observed] = []
        candidates = 0
        for i in range(start, end):
            wish = crowd.wish()
            searched, _ = search(engine, wish, crowd)
            candidates += searched.candidates
            if i in full:
                observed.append(Observed(searched, state, asked_in_full(ask, state, wish)))
            now = replace(
                now, stage="searching", done=i + 1, found=now.found + bool(searched.place)
            )
            yield now
        yield (now := replace(now, stage="comparing"))
        compared = compare(observed)
        for name in SYSTEMS:
            regret[name] += (end - start) * _ahead(compared, name)
        done = VisitRound(
            end,
            {name: compared.success(name) for name in SYSTEMS},
            candidates / (end - start),
            dict(regret),
        )
        yield (now := replace(now, stage="learning", rounds=(*now.rounds, done)))
        learn()
    yield now


def _ahead(compared: Compared, name: str) -> float:
    return compared.success(name) - compared.success(LTRR)
