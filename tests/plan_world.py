"""A small world whose truth is known: people search for songs, and click the one they want if it is
on the page, four times in five."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np

from bandit import Choice, FixedPlan, PlanDistribution, UniformPolicy
from engine import Context, EngineConfig, Query, SearchEngine
from engine.answering import answer
from tests.conftest import START, Clock, songs

CLICKS = 0.8
LADDER = (0, 20)
GENERATORS = ("bm25", "popular")
WANTED = (
    *((f"night train {a}", f"t{a}-2") for a in range(12)),
    *(("silver river", f"t{a}-1") for a in (1, 4, 9)),
    *(("love", f"t{a}-0") for a in (3, 7, 12, 18)),
)
"""What is typed, and what is wanted then."""
SERVED = 200
"""Searches that the staged index of the engine's tests has answered."""


def index(
    folder: Path,
    policy: str,
    options: Mapping[str, float],
    clock: Clock,
    ladder: tuple[int, ...] = LADDER,
) -> SearchEngine:
    config = EngineConfig(
        generators=GENERATORS, ladder=ladder, policy=policy, policy_options=options, budget=15.0,
        least=1, clock=clock, ranker_options={"n_estimators": 10},
    )  # fmt: skip
    return SearchEngine.build(songs(), folder=folder, config=config)


def serve(engine: SearchEngine, searches: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clock = engine.config.clock
    for _ in range(searches):
        if isinstance(clock, Clock):
            clock.now += 60.0
        typed, wanted = WANTED[rng.integers(len(WANTED))]
        shown = engine.search(typed, Context(user=f"u{rng.integers(1_000_000)}"))
        if rng.random() < CLICKS and wanted in [hit.id for hit in shown.hits]:
            engine.feedback(shown.impression_id, clicks=[wanted])


def truth(engine: SearchEngine, plays: Sequence[PlanDistribution]) -> float:
    """Clicks a search of a policy that plays `plays`, one for each of `WANTED`."""
    state, total = engine.state, 0.0
    for (typed, wanted), play in zip(WANTED, plays, strict=True):
        for plan in product(range(len(LADDER)), repeat=len(GENERATORS)):
            chance = play.probability(np.array(plan))
            if chance > 0.0:
                depths, none = np.array(LADDER, np.int32)[list(plan)], np.zeros(len(GENERATORS))
                made = answer(
                    state, engine.config, asked(typed), np.random.default_rng(0),
                    Choice(depths, chance, none, none, none),
                )  # fmt: skip
                rows = made.candidates.docs[made.order[:10]].tolist()
                total += chance * CLICKS * (wanted in map(state.catalog.id, rows))
    return total / len(WANTED)


def asked(typed: str) -> Query:
    return Query(typed, Context(time=datetime.fromtimestamp(START, UTC)), typed)


def fixed(*depths: int) -> list[PlanDistribution]:
    return _always(FixedPlan(np.array(LADDER, np.int32), len(GENERATORS), depths=depths))


def uniform() -> list[PlanDistribution]:
    return _always(UniformPolicy(np.array(LADDER, np.int32), len(GENERATORS)))


def _always(policy: FixedPlan | UniformPolicy) -> list[PlanDistribution]:
    s, rungs = len(GENERATORS), len(LADDER)
    features, overlap = np.zeros((s, rungs, 0)), np.zeros((s, rungs, s, rungs))
    return [policy.distribution(np.zeros(0), features, overlap, 0.0)] * len(WANTED)
