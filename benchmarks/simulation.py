"""Simulated users of a judged collection search, click and are learnt from; quality is measured on
queries they never ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.clicks import click_model
from benchmarks.datasets import Dataset
from benchmarks.graded import measure_names, measured, page, questions, served
from benchmarks.judgements import Qrels
from benchmarks.users import SimulatedUsers
from engine import BadInput, EngineConfig, LearnReport, SearchEngine
from engine.state import State
from retrievers.analysis import normalise
from retrievers.blas import single_threaded
from retrievers.dense import Dense
from retrievers.encoder import Encoder

START = 1_704_067_200.0
"""POSIX seconds of the first search: 2024-01-01, UTC."""
PACE = 60.0
"""Seconds from one search to the next."""
LEARNS = 20
"""As many `learn`s as there are by default, each after so many times the searches of the one before:
early ones tell most, and late ones take longest."""
FIRST = 500
"""The first of them comes after one in so many of the searches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOptions:
    """`model`: of `benchmarks.clicks.MODELS`; `learn_on`, `report_on`: splits of the judgements,
    `split` as in `Dataset.learn_and_report`. `learn_every`: searches between two `learn`s, None for
    `LEARNS` in all, the first sooner. `sample`: queries measured after each `learn`. `noise`: attraction of
    grade 0."""

    model: str = "pbm"
    learn_on: str = "train"
    report_on: str = "test"
    split: float | None = None
    searches: int = 50_000
    learn_every: int | None = None
    k: int = 10
    sample: int = 300
    noise: float = 0.1

    def __post_init__(self) -> None:
        click_model(self.model)
        counts = {"searches": self.searches, "k": self.k, "sample": self.sample}
        counts["learn-every"] = 1 if self.learn_every is None else self.learn_every
        for name, count in counts.items():
            if count < 1:
                raise BadInput(f"{name}: found {count}, expected a number of at least 1")

    def learns(self) -> list[int]:
        """After how many searches there is a `learn`, ascending; the last ends the simulation."""
        if self.learn_every is not None:
            return [*range(self.learn_every, self.searches, self.learn_every), self.searches]
        first = max(1, self.searches // FIRST)
        return sorted(
            {round(count) for count in np.geomspace(first, self.searches, LEARNS).tolist()}
        )


@dataclass(slots=True)
class Clock:
    """A clock that stands until it is moved, so that times are the same in every run."""

    now: float = START

    def __call__(self) -> float:
        """POSIX seconds."""
        return self.now


@dataclass(frozen=True, slots=True)
class Moment:
    """The simulation up to a `learn`: searches and clicks so far, nDCG of the sample of queries to
    report on, what `learn` said (None at the beginning), seconds spent searching and learning since
    the moment before."""

    searches: int
    clicks: int
    quality: float
    learnt: LearnReport | None
    searching: float
    learning: float


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """An engine that has learnt from simulated users.

    `texts`: {query: text} of all queries; `learn`, `report`: judgements of the queries searched and of
    those measured; `left_out`: queries that were to be measured, but whose text was searched too.
    `begun`, `state`: what the engine knew at the beginning and knows at the end. `clicked`: clicks by
    position (k,); `now`: the clock's last reading.
    """

    dataset: Dataset
    config: EngineConfig
    texts: Mapping[str, str]
    learn: Qrels
    report: Qrels
    left_out: int
    begun: State
    state: State
    moments: list[Moment]
    clicked: list[int]
    now: float


def simulate(
    dataset: Dataset,
    config: EngineConfig,
    options: SimulationOptions,
    *,
    encoder: Encoder | str | None = None,
    embeddings: Path | None = None,
    progress: bool = False,
) -> Simulated:
    """Let users search for queries of one split, click, and the engine learn.

    Who searches what, who clicks where and which queries are measured after each `learn` is drawn
    from `config.seed`.
    """
    texts = dataset.texts()
    learn, report, left_out = _splits(dataset, texts, options)
    clock = Clock()
    config = replace(config, clock=clock, generator_options=_remembering(config, len(texts)))
    users = SimulatedUsers(learn, click_model(options.model), noise=options.noise)
    rng = np.random.default_rng(config.seed)
    with (
        SearchEngine.build(
            dataset.documents(), config=config, encoder=encoder, embeddings=embeddings,
            progress=progress,
        ) as engine,
        single_threaded(),
        tqdm(total=options.searches, desc="searching", unit=" searches", disable=not progress) as bar,
    ):  # fmt: skip
        drawn = np.random.default_rng((config.seed, 1)).permutation(list(report))
        sample = {query: report[query] for query in drawn[: options.sample].tolist()}

        def quality() -> float:
            asked = questions(sample, texts, engine.state.catalog, clock.now)
            pages = []
            for one in asked:
                made = served(engine.state, config, one)
                pages.append(page(one, made.candidates, made.scores, options.k))
            return float(
                measured(asked, pages, engine.state.catalog, options.k)[
                    measure_names(options.k)[0]
                ].mean()
            )

        begun, by_position = engine.state, [0] * options.k
        moments = [Moment(0, 0, quality(), None, 0.0, 0.0)]
        for until in options.learns():
            started = perf_counter()
            for done in range(moments[-1].searches, until):
                clock.now = START + PACE * done
                query = users.query(rng)
                response = engine.search(texts[query], k=options.k)
                shown = [hit.id for hit in response.hits]
                clicks = users.clicks(query, shown, rng)
                engine.feedback(response.impression_id, clicks=clicks)
                for document in clicks:
                    by_position[shown.index(document)] += 1
                bar.update()
            between = perf_counter()
            learnt = engine.learn()
            ended = perf_counter()
            moments.append(
                Moment(
                    until, sum(by_position), quality(), learnt, between - started, ended - between
                )
            )
        return Simulated(
            dataset, config, texts, learn, report, left_out, begun, engine.state, moments,
            by_position, clock.now,
        )  # fmt: skip


def _remembering(config: EngineConfig, queries: int) -> dict[str, Mapping[str, Any]]:
    """Options of the generators under which each query is encoded once: most of them come again."""
    options = dict(config.generator_options)
    if Dense.name in config.generators:
        options[Dense.name] = {"query_cache": queries, **options.get(Dense.name, {})}
    return options


def _splits(
    dataset: Dataset, texts: Mapping[str, str], options: SimulationOptions
) -> tuple[Qrels, Qrels, int]:
    """(to learn from, to report on, how many were left out of the second)."""
    learn, report = dataset.learn_and_report(options.learn_on, options.report_on, options.split)
    missing = next((query for query in (*learn, *report) if query not in texts), None)
    if missing is not None:
        raise BadInput(
            f"{dataset.queries}: has no query {missing!r}, which is judged; `ltrr validate` lists "
            "every dangling id"
        )
    known = {normalise(texts[query]) for query in learn}
    kept = {
        query: grades for query, grades in report.items() if normalise(texts[query]) not in known
    }
    if not learn or not kept:
        raise BadInput(
            f"{dataset.folder}: found {len(learn):,} queries to learn from and {len(kept):,} others "
            "to report on, expected some of each; another --split may leave both"
        )
    return learn, kept, len(report) - len(kept)
