"""The line to beat: one plan for every search, and LambdaMART over what it brings."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.plans_found import best_plan
from benchmarks.systems import Answered, System, planned, visible
from benchmarks.walk import Asked, Step
from engine.answering import Answer, generator_of
from engine.config import EngineConfig
from engine.parts import make_ranker
from engine.ranking_features import column_names
from rankers.base import Judged, Ranker
from retrievers.base import Docs

Depths = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Candidates of one search to train on: a uniform sample (`sampled`) and those ever wanted, of
    which training takes what was visible by then."""

    docs: Docs
    features: NDArray[np.float32]
    sampled: NDArray[np.bool_]
    candidates: int


class FixedPlan(System):
    """One plan, topped up like the engine's, and a LambdaMART with the engine's settings and window
    that is trained anew before each step on candidates of this plan, as they were at their time."""

    def __init__(self, name: str, k: int, config: EngineConfig, plan: Depths | None = None) -> None:
        super().__init__(name, k)
        self.config = config
        self.plan = plan
        self._kept: dict[str, Kept] = {}
        self._rows: deque[tuple[NDArray[np.float32], Depths, NDArray[np.float64]]] = deque(
            maxlen=config.ranker_window
        )
        self._walked = 0
        self._ranker: Ranker | None = None

    def choose(self, past: Sequence[Step], step: Step) -> Depths:
        """The best plan for the searches of the warm-up, by what was visible at its end."""
        asked = [
            replace(one, wanted=seen)
            for before in past
            for one in before.asked
            if (seen := visible(one, step.start)).size
        ]
        if not asked:
            return np.full(len(step.state.retrievers), step.state.ladder[-1], np.int32)
        return best_plan(asked, step.state.ladder, self.config.budget)

    def learn(self, past: Sequence[Step], step: Step) -> None:
        """Train on all steps before. Clicks that come later than the step after theirs are left out."""
        if self.plan is None:
            self.plan = self.choose(past, step)
        later = [*(s.start for s in past[1:]), step.start]
        for before, now in zip(past[self._walked :], later[self._walked :], strict=True):
            self._collect(before, now)
        self._walked = len(past)
        ranker = make_ranker(self.config, column_names(step.state.retrievers))
        if self._rows:
            ranker.fit(_judged(self._rows))
            self._ranker = ranker if ranker.fitted else self._ranker

    def answer(self, step: Step, asked: Asked) -> Answered:
        """Fusion ranks while there is nothing to train on."""
        made, ms = self._made(step, asked)
        self._kept[asked.id] = self._sample(asked, made)
        return self.page(asked, made.candidates, made.scores, ms)

    def _made(self, step: Step, asked: Asked) -> tuple[Answer, float]:
        if self.plan is None:
            raise RuntimeError(f"{self.name}: asked for an answer before `learn` chose a plan")
        state = replace(step.state, ranker=self._ranker)
        return planned(state, asked, self.plan, self.config.least)

    def _sample(self, asked: Asked, made: Answer) -> Kept:
        docs = made.candidates.docs
        rng = generator_of(self.config.seed, 0, asked.id, asked.query.context)
        sampled = np.zeros(docs.size, bool)
        sampled[rng.permutation(docs.size)[: self.config.rest_sample]] = True
        kept = np.flatnonzero(sampled | np.isin(docs, asked.wanted))
        return Kept(docs[kept], made.features[kept], sampled[kept], docs.size)

    def _collect(self, step: Step, now: datetime) -> None:
        for asked in step.asked:
            kept = self._kept.pop(asked.id, None) or self._sample(asked, self._made(step, asked)[0])
            clicked = np.isin(kept.docs, visible(asked, now))
            if not clicked.any():
                continue
            taken = clicked | kept.sampled
            rest = int(kept.sampled.sum() - (clicked & kept.sampled).sum())
            weights = np.where(clicked, 1.0, (kept.candidates - clicked.sum()) / max(rest, 1))
            self._rows.append(
                (kept.features[taken], clicked[taken].astype(np.int32), weights[taken])
            )


def _judged(rows: Sequence[tuple[NDArray[np.float32], Depths, NDArray[np.float64]]]) -> Judged:
    sizes = [labels.size for _, labels, _ in rows]
    return Judged(
        features=np.concatenate([features for features, _, _ in rows]),
        labels=np.concatenate([labels for _, labels, _ in rows]).astype(np.float64),
        weights=np.concatenate([weights for _, _, weights in rows]),
        positions=np.zeros(sum(sizes), np.int32),
        starts=np.cumsum([0, *sizes], dtype=np.int64),
    )
