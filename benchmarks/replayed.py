"""What comes of a replay: per search a few numbers a system, no hits and no states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers import Answers
from benchmarks.metrics import measured
from benchmarks.walk import Asked, Step
from engine.catalog import Catalog
from engine.config import EngineConfig
from engine.hindsight import clicked_ranks
from engine.understanding import read
from rankers.surfaces import Surfaces

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A system on every measured search: `answers`, and `values` {measure: (n,)}."""

    name: str
    answers: Answers
    values: dict[str, Floats]
    plan: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """One measured search. `wanted`: documents ever clicked in it; `found`, `only` (s,): share of
    them that each generator finds at full depth, and that no other finds."""

    id: str
    user: str | None
    kind: str
    wanted: tuple[str, ...]
    found: Floats
    only: Floats

    @classmethod
    def of(cls, step: Step, asked: Asked) -> Searched:
        """As the step's state sees it."""
        has = clicked_ranks(asked.hits, asked.wanted) >= 0
        return cls(
            id=asked.id,
            user=asked.query.context.user,
            kind=step.state.facts(read(step.state, asked.query, [], {})).kind,
            wanted=tuple(step.state.catalog.id(row) for row in asked.wanted.tolist()),
            found=has.mean(axis=0),
            only=(has & (has.sum(axis=1) == 1)[:, None]).mean(axis=0),
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """A measured step: the time of its first search, and how many have a click."""

    start: datetime
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """A replay at one budget. `asked`: the measured searches, in the order of every system's answers;
    `learnt`: searches of the warm-up; `served`: searches that the engine answered for real, 0 where it
    learns from the log; `surfaces`: what it takes position bias to be in the end."""

    generators: tuple[str, ...]
    ladder: tuple[int, ...]
    config: EngineConfig
    catalog: Catalog
    steps: Sequence[Stretch]
    asked: Sequence[Searched]
    learnt: int
    served: int
    systems: dict[str, Replayed]
    surfaces: Surfaces

    def rankings(self, system: str) -> Iterator[tuple[str, list[tuple[str, float]]]]:
        """(search, its page as (document, score)), one at a time."""
        answers = self.systems[system].answers
        for place, asked in enumerate(self.asked):
            yield asked.id, ranking(self.catalog, answers, place)


def ranking(catalog: Catalog, answers: Answers, place: int) -> list[tuple[str, float]]:
    """One page as (document, score), best first."""
    docs, scores = answers.page(place)
    ids = [catalog.id(row) for row in docs.tolist()]
    return list(zip(ids, scores.tolist(), strict=True))


def values_of(
    catalog: Catalog, asked: Sequence[Searched], made: Answers, k: int
) -> dict[str, Floats]:
    """{measure: (n,)} of a system's answers to some searches."""
    wanted = {one.id: one.wanted for one in asked}
    rankings = {one.id: ranking(catalog, made, place) for place, one in enumerate(asked)}
    return measured(wanted, rankings, k) | {
        "candidate_recall": made.recall,
        "candidates_mean": made.candidates.astype(np.float64),
        "drawn_mean": made.depths.sum(axis=1).astype(np.float64),
        "ms": made.ms,
    }
