"""Replay: a log walked in time order, every search answered with what was known before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.datasets import Dataset
from benchmarks.feeding import FEEDBACK, LOGGED, SHOWN, Feed, ShownFeed
from benchmarks.fixed_plans import FixedPlan
from benchmarks.passing import Passing
from benchmarks.plans_found import best_plan
from benchmarks.replay_work import Work
from benchmarks.replayed import Replay
from benchmarks.systems import Alone, Engine, MinMax, Oracle, ReciprocalRanks, System
from benchmarks.timeline import MONTH, Timeline, read_timeline
from benchmarks.walk import Step, Walk
from engine import BadInput, EngineConfig, SearchEngine
from engine.snapshots import CURRENT
from retrievers.blas import single_threaded
from retrievers.encoder import Encoder

FITTING = 0.2
"""The last share of the warm-up's searches, on which plans, fusion weights and rankers of the
systems beside the engine are fitted."""
REFERENCE = "best_fixed"
HINDSIGHT = "best_fixed_hindsight"
COMBINED = ("rrf", "minmax", "static_union", REFERENCE, HINDSIGHT, "oracle")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """`warmup`: the share of searches learnt before any is measured; it ends at the last timestamp
    boundary at or before. `every`: "month", or searches between two `learn`s. `systems`: empty for
    all. `limit`: only so many searches after the warm-up. `feedback`: what the engine learns from
    after the warm-up, see `benchmarks.feeding`."""

    warmup: float = 0.75
    k: int = 10
    every: int | str = MONTH
    profile: bool = True
    systems: tuple[str, ...] = ()
    limit: int | None = None
    feedback: str = LOGGED

    def __post_init__(self) -> None:
        if not 0.0 <= self.warmup < 1.0:
            raise BadInput(f"warmup: found {self.warmup}, expected a share from 0 to below 1")
        if self.every != MONTH and (not isinstance(self.every, int) or self.every < 1):
            raise BadInput(f"learn-every: found {self.every!r}, expected {MONTH} or a number ≥ 1")
        if self.k < 1 or (self.limit is not None and self.limit < 1):
            raise BadInput(f"k, limit: found {self.k} and {self.limit}, expected numbers ≥ 1")
        if self.feedback not in FEEDBACK:
            raise BadInput(
                f"feedback: found {self.feedback!r}, expected one of {', '.join(FEEDBACK)}"
            )


def replay(
    dataset: Dataset,
    config: EngineConfig,
    options: ReplayOptions,
    *,
    encoder: Encoder | str | None = None,
    embeddings: Path | None = None,
    work: Path | None = None,
    beside: Sequence[float] = (),
    same_walk: Path | None = None,
    progress: bool = False,
) -> Replay:
    """Walk the log of a data set and answer its last part with every system.

    Nothing that becomes visible at or after the time of a search reaches its answer, but for the
    two systems that are lines to see, not to compete with: `best_fixed_hindsight` and `oracle`.

    `work`: a folder from which an interrupted replay with the same options goes on; None: a temporary
    one. `beside`: other budgets to price, where no ranker is trained. `same_walk`: the work folder of a
    replay that differs by its budget alone, whose hits are taken over, and its states too where this budget
    was priced beside; refused with feedback `shown`, where what generators learn depends on the budget.

    States and hits of the steps lie in the work folder, at most 32 states and the hits of two steps
    in memory. Kept in memory are the log itself and, per measured search, one page of k and nine
    numbers a system: about 2.5 MB per 1,000 searches with all systems at k = 10. The intervals of a
    report need 8 kB a user.
    """
    names = _chosen(options.systems, config)
    if (same_walk is not None or beside) and options.feedback != LOGGED:
        raise BadInput("same_walk, beside: found feedback 'shown', expected 'logged'")
    with TemporaryDirectory(prefix="ltrr-replay-") as temporary:
        return _replayed(
            dataset, config, options, names, encoder, embeddings,
            Work(Path(temporary) if work is None else work, encoder, same_walk), beside, progress,
        )  # fmt: skip


def _replayed(
    dataset: Dataset,
    config: EngineConfig,
    options: ReplayOptions,
    names: tuple[str, ...],
    encoder: Encoder | str | None,
    embeddings: Path | None,
    work: Work,
    beside: Sequence[float],
    progress: bool,
) -> Replay:
    timeline = read_timeline(dataset, profile=options.profile)
    warm, ranges = _ranges(timeline, options)
    # What time it is now must not matter: the engine's clock stands at the log's beginning.
    clock = timeline.searches[0].time.timestamp
    longest = max(len(search.query) for search in timeline.searches)
    config = replace(config, clock=clock, max_query_chars=max(config.max_query_chars, longest))
    work.follow(len(ranges), config.budget)
    with (
        _engine(dataset, config, encoder, embeddings, work, progress) as engine,
        single_threaded(),
    ):
        shown = options.feedback == SHOWN
        feed = ShownFeed(engine, timeline, warm, options.k) if shown else Feed(engine, timeline)
        walk = Walk(engine, timeline, ranges, warm, feed, work, beside)
        passing = Passing(work, options.k, progress)
        first = [_make(name, config, options) for name in names if name != HINDSIGHT]
        passing.through(walk, first, len(ranges), "walking the log")
        if not passing.asked:
            raise BadInput(
                f"{dataset.folder}: no search after the warm-up has a click on a document of the "
                "corpus; expected some to measure by"
            )
        if HINDSIGHT in names:
            again = [Step(walk, number) for number in range(len(ranges))]
            measured = (one for step in again if step.measured for one in step.asked)
            plan = best_plan(measured, engine.state.ladder, config.budget)
            if tuple(plan.tolist()) == passing.plan(REFERENCE):
                passing.same(HINDSIGHT, REFERENCE)
            else:
                found = FixedPlan(HINDSIGHT, options.k, config, plan, own=shown)
                passing.through(again, [found], len(ranges), "in hindsight")
        return Replay(
            generators=config.generators, ladder=config.ladder, config=config,
            catalog=engine.state.catalog, steps=passing.steps, asked=passing.asked, learnt=warm,
            served=ranges[-1][1] - warm if shown else 0,
            systems={name: passing.replayed(name) for name in names},
            surfaces=engine.state.surfaces,
        )  # fmt: skip


def _engine(
    dataset: Dataset,
    config: EngineConfig,
    encoder: Encoder | str | None,
    embeddings: Path | None,
    work: Work,
    progress: bool,
) -> SearchEngine:
    """The engine of an interrupted replay, or a new one."""
    if (work.engine / CURRENT).exists():
        return SearchEngine.load(work.engine, encoder=encoder, clock=config.clock)
    return SearchEngine.build(
        dataset.documents(), folder=work.engine, config=config, encoder=encoder,
        embeddings=embeddings, progress=progress,
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


def _make(name: str, config: EngineConfig, options: ReplayOptions) -> System:
    k, own = options.k, options.feedback == SHOWN
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
    if name == "static_union":
        full = np.full(len(config.generators), config.ladder[-1], np.int32)
        return FixedPlan(name, k, config, full, own=own)
    return FixedPlan(name, k, config, own=own)
