"""Replay: a log walked in time order, every search answered with what was known before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.datasets import Dataset
from benchmarks.fixed_plans import FixedPlan
from benchmarks.metrics import measured
from benchmarks.plans_found import best_plan
from benchmarks.systems import (
    Alone,
    Answered,
    Engine,
    MinMax,
    Oracle,
    ReciprocalRanks,
    System,
)
from benchmarks.timeline import MONTH, Timeline, read_timeline
from benchmarks.walk import Asked, Step, walk
from engine import BadInput, EngineConfig, SearchEngine
from retrievers.blas import single_threaded
from retrievers.encoder import Encoder

FITTING = 0.2
"""The last share of the warm-up's searches, on which plans, fusion weights and rankers of the
systems beside the engine are fitted."""
COMBINED = ("rrf", "minmax", "static_union", "best_fixed", "best_fixed_hindsight", "oracle")
REFERENCE = "best_fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """`warmup`: the share of searches learnt before any is measured; it ends at the last timestamp
    boundary at or before. `every`: "month", or searches between two `learn`s. `systems`: empty for
    all. `limit`: only so many searches after the warm-up."""

    warmup: float = 0.75
    k: int = 10
    every: int | str = MONTH
    profile: bool = True
    systems: tuple[str, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.warmup < 1.0:
            raise BadInput(f"warmup: found {self.warmup}, expected a share from 0 to below 1")
        if self.every != MONTH and (not isinstance(self.every, int) or self.every < 1):
            raise BadInput(f"learn-every: found {self.every!r}, expected {MONTH} or a number ≥ 1")
        if self.k < 1 or (self.limit is not None and self.limit < 1):
            raise BadInput(f"k, limit: found {self.k} and {self.limit}, expected numbers ≥ 1")


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A system on every measured search: `values` {measure: (n,)}, `answers` (n,)."""

    name: str
    answers: Sequence[Answered]
    rankings: dict[str, list[tuple[str, float]]]
    values: dict[str, NDArray[np.float64]]
    plan: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """A replay at one budget. `steps`: those measured; the searches of all of them, in order, are the
    n of every array. `learnt`: searches of the warm-up."""

    generators: tuple[str, ...]
    ladder: tuple[int, ...]
    config: EngineConfig
    steps: list[Step]
    learnt: int
    systems: dict[str, Replayed]

    @property
    def asked(self) -> list[Asked]:
        """All measured searches."""
        return [asked for step in self.steps for asked in step.asked]


def replay(
    dataset: Dataset,
    config: EngineConfig,
    options: ReplayOptions,
    *,
    encoder: Encoder | str | None = None,
    embeddings: Path | None = None,
    progress: bool = False,
) -> Replay:
    """Walk the log of a data set and answer its last part with every system.

    Nothing that becomes visible at or after the time of a search reaches its answer, but for the
    two systems that are lines to see, not to compete with: `best_fixed_hindsight` and `oracle`.
    """
    names = _chosen(options.systems, config)
    timeline = read_timeline(dataset, profile=options.profile)
    warm, ranges = _ranges(timeline, options)
    # What time it is now must not matter: the engine's clock stands at the log's beginning.
    config = replace(config, clock=timeline.searches[0].time.timestamp)
    with (
        SearchEngine.build(
            dataset.documents(), config=config, encoder=encoder, embeddings=embeddings,
            progress=progress,
        ) as engine,
        single_threaded(),
    ):  # fmt: skip
        walked = walk(engine, timeline, ranges, warm)
        bar = tqdm(
            walked, desc="walking the log", unit=" steps", total=len(ranges), disable=not progress
        )
        steps = list(bar)
        if not any(step.asked for step in steps if step.measured):
            raise BadInput(
                f"{dataset.folder}: no search after the warm-up has a click on a document of the "
                "corpus; expected some to measure by"
            )
        systems = {}
        for name in tqdm(names, desc="answering", unit=" systems", disable=not progress):
            systems[name] = _answered(_make(name, options.k, config, steps), steps)
    return Replay(
        generators=config.generators, ladder=config.ladder, config=config,
        steps=[step for step in steps if step.measured], learnt=warm, systems=systems,
    )  # fmt: skip


def _chosen(wanted: tuple[str, ...], config: EngineConfig) -> tuple[str, ...]:
    known = ("ltrr", *config.generators, *COMBINED)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BadInput(f"systems: found {unknown[0]!r}, known are {', '.join(known)}")
    return tuple(name for name in known if not wanted or name in wanted or name == REFERENCE)


def _ranges(timeline: Timeline, options: ReplayOptions) -> tuple[int, list[tuple[int, int]]]:
    """(end of the warm-up, ranges of searches to walk)."""
    count = len(timeline.searches)
    warm = timeline.boundary(int(options.warmup * count))
    last = count if options.limit is None else min(warm + options.limit, count)
    fitting = timeline.boundary(int(warm * (1.0 - FITTING)))
    ranges = [
        *timeline.steps(fitting, warm, options.every),
        *timeline.steps(warm, last, options.every),
    ]
    return warm, ranges


def _make(name: str, k: int, config: EngineConfig, steps: Sequence[Step]) -> System:
    if name == "ltrr":
        return Engine(name, k, config)
    if name in config.generators:
        return Alone(name, k)
    if name == "rrf":
        return ReciprocalRanks(name, k)
    if name == "minmax":
        return MinMax(name, k)
    if name == "oracle":
        return Oracle(name, k, config)
    ladder = steps[0].state.ladder
    if name == "static_union":
        return FixedPlan(name, k, config, np.full(len(config.generators), ladder[-1], np.int32))
    if name == "best_fixed":
        return FixedPlan(name, k, config)
    measured_ones = [asked for step in steps if step.measured for asked in step.asked]
    return FixedPlan(name, k, config, best_plan(measured_ones, ladder, config.budget))


def _answered(system: System, steps: Sequence[Step]) -> Replayed:
    answers: list[Answered] = []
    rankings: dict[str, list[tuple[str, float]]] = {}
    wanted: dict[str, list[str]] = {}
    for place, step in enumerate(steps):
        if not step.measured:
            continue
        system.learn(steps[:place], step)
        catalog = step.state.catalog
        for asked in step.asked:
            made = system.answer(step, asked)
            answers.append(made)
            ids = [catalog.id(row) for row in made.docs.tolist()]
            rankings[asked.id] = list(zip(ids, made.scores.tolist(), strict=True))
            wanted[asked.id] = [catalog.id(row) for row in asked.wanted.tolist()]
    values = measured(wanted, rankings, system.k) | {
        "candidate_recall": np.array([made.recall for made in answers]),
        "candidates_mean": np.array([float(made.candidates) for made in answers]),
        "drawn_mean": np.array([float(made.depths.sum()) for made in answers]),
        "ms": np.array([made.ms for made in answers]),
    }
    plan = getattr(system, "plan", None)
    return Replayed(
        system.name, answers, rankings, values,
        None if plan is None else tuple(int(depth) for depth in plan),
    )  # fmt: skip
