"""What is compared: ways to answer a search from what all generators returned."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bandit.base import Choice
from benchmarks.answers import Answered, Answers
from benchmarks.plans_found import cheapest_cover
from benchmarks.walk import Asked, Step
from engine.answering import Answer, answer, assemble, generator_of
from engine.config import EngineConfig
from engine.gathering import drawn_of
from engine.state import State
from engine.understanding import read
from rankers.base import Judged
from rankers.minmax import MinMaxFusion
from rankers.rrf import ReciprocalRankFusion
from retrievers.base import Docs
from retrievers.candidates import Candidates, union


class System(ABC):
    """Answers the searches of each step in turn. Before each measured step `learn` is called with
    the steps since the last call, of which it may read what was visible before this one."""

    def __init__(self, name: str, k: int) -> None:
        self.name = name
        self.k = k

    def learn(self, before: Sequence[Step], step: Step) -> None:
        """Learn what the step's state does not hold: nothing, for most."""
        del before, step

    def answered(self, step: Step, answers: Answers) -> None:
        """What it answered to the searches of a step, now or before an interruption."""
        del step, answers

    @abstractmethod
    def answer(self, step: Step, asked: Asked) -> Answered:
        """Answer one search of the step; `asked.wanted` is for measuring alone."""

    def page(
        self,
        asked: Asked,
        candidates: Candidates,
        scores: NDArray[np.float32],
        ms: float,
    ) -> Answered:
        """The k best; ties by row."""
        first = np.lexsort((candidates.docs, -scores))[: self.k]
        found = np.isin(asked.wanted, candidates.docs, assume_unique=True)
        return Answered(
            docs=candidates.docs[first],
            scores=scores[first],
            recall=float(found.mean()),
            candidates=len(candidates),
            depths=candidates.depths,
            ms=ms,
        )


class Engine(System):
    """The engine as it would have answered, exploration included."""

    def __init__(self, name: str, k: int, config: EngineConfig) -> None:
        super().__init__(name, k)
        self.config = config

    def answer(self, step: Step, asked: Asked) -> Answered:
        """`engine.answering.answer`, on the step's state."""
        query = asked.query
        rng = generator_of(self.config.seed, step.state.version, query.typed, query.context)
        made = answer(step.state, self.config, query, rng)
        return self.page(asked, made.candidates, made.scores, made.timings["total"])


class Alone(System):
    """One generator at full depth."""

    def answer(self, step: Step, asked: Asked) -> Answered:
        """The generator's own order."""
        g, full = list(step.state.retrievers).index(self.name), int(step.state.ladder[-1])
        candidates = union([self.name], [full], [asked.hits[g]])
        depths = np.zeros(len(asked.hits), np.int32)
        depths[g] = full
        made = self.page(asked, candidates, candidates.scores[:, 0], asked.ms[g])
        return replace(made, depths=depths)


def united(step: Step, asked: Asked) -> Candidates:
    """What all generators return at full depth."""
    full = int(step.state.ladder[-1])
    return union(tuple(step.state.retrievers), [full] * len(asked.hits), asked.hits)


class ReciprocalRanks(System):
    """Reciprocal rank fusion of all generators at full depth, unweighted."""

    def answer(self, step: Step, asked: Asked) -> Answered:
        """Cormack, Clarke and Büttcher, SIGIR 2009; k = 60."""
        started = time.perf_counter()
        candidates = united(step, asked)
        ranker = ReciprocalRankFusion(tuple(f"{name}.rank" for name in candidates.sources))
        ranks = np.where(candidates.ranks < 0, np.nan, candidates.ranks).astype(np.float32)
        scores = ranker.score(ranks)
        ms = (time.perf_counter() - started) * 1000.0 + sum(asked.ms)
        return self.page(asked, candidates, scores, ms)


class MinMax(System):
    """Min-max fusion of all generators at full depth, with the weights of best nDCG@10 on the
    warm-up."""

    def __init__(self, name: str, k: int) -> None:
        super().__init__(name, k)
        self._ranker: MinMaxFusion | None = None

    def learn(self, before: Sequence[Step], step: Step) -> None:
        """Find the weights once, before the first measured step."""
        if self._ranker is not None:
            return
        ranker = MinMaxFusion(tuple(f"{name}.score" for name in step.state.retrievers))
        features, labels, starts = [], [], [0]
        for past in before:
            for asked in past.asked:
                candidates = united(past, asked)
                features.append(candidates.scores)
                labels.append(np.isin(candidates.docs, visible(asked, step.start)))
                starts.append(starts[-1] + len(candidates))
        if features:
            label = np.concatenate(labels).astype(np.float64)
            ranker.fit(
                Judged(
                    np.concatenate(features),
                    label,
                    np.ones(label.size),
                    np.zeros(label.size, np.int32),
                    np.array(starts, np.int64),
                )
            )
        self._ranker = ranker

    def answer(self, step: Step, asked: Asked) -> Answered:
        """Scores of the fitted fusion; before the first measured step, of equal weights."""
        started = time.perf_counter()
        candidates = united(step, asked)
        names = tuple(f"{name}.score" for name in candidates.sources)
        scores = (self._ranker or MinMaxFusion(names)).score(candidates.scores)
        ms = (time.perf_counter() - started) * 1000.0 + sum(asked.ms)
        return self.page(asked, candidates, scores, ms)


class Oracle(System):
    """The cheapest plan found that brings every item wanted that any generator has: an upper line.
    Ranked by the engine's ranker."""

    def __init__(self, name: str, k: int, config: EngineConfig) -> None:
        super().__init__(name, k)
        self.config = config

    def answer(self, step: Step, asked: Asked) -> Answered:
        """Reads what is wanted, as no other system may."""
        depths = cheapest_cover(asked.hits, asked.wanted, step.state.ladder)
        made, ms = planned(step.state, asked, depths, 0)
        return self.page(asked, made.candidates, made.scores, ms)


def visible(asked: Asked, now: datetime) -> Docs:
    """Rows that are known to be clicked at a time."""
    return np.array([row for row, since in asked.clicks if since < now], np.int32)


def planned(
    state: State, asked: Asked, depths: NDArray[np.int32], least: int
) -> tuple[Answer, float]:
    """The answer of a given plan, ranked by the state's ranker, and its milliseconds; generators are
    timed at full depth."""
    started = time.perf_counter()
    unknown = np.full(depths.size, np.nan)
    choice = Choice(depths, 1.0, np.ones(depths.size), unknown, unknown)
    hits = drawn_of(asked.hits, depths, least)
    query = read(state, asked.query, [], {})
    made = assemble(state, query, state.facts(query), choice, hits)
    spent = sum(ms for ms, hit in zip(asked.ms, hits, strict=True) if len(hit))
    return made, (time.perf_counter() - started) * 1000.0 + spent
