"""The line to beat: one plan for every search, and LambdaMART over what it brings."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers import Answered, Answers
from benchmarks.plans_found import best_plan
from benchmarks.systems import System, planned, visible
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
    """Candidates of one search to train on: a uniform sample (`sampled`) and those that may turn out
    to be liked, of which training takes what was visible by then."""

    docs: Docs
    features: NDArray[np.float32]
    sampled: NDArray[np.bool_]
    candidates: int


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Rows of one search in the training set; `places`: 1 = top of the page, 0 = not shown."""

    features: NDArray[np.float32]
    labels: Depths
    weights: NDArray[np.float64]
    places: Depths


class FixedPlan(System):
    """One plan, topped up like the engine's, and a LambdaMART with the engine's settings and window
    that is trained anew before each step on candidates of this plan, as they were at their time.

    With `own`, of the searches after the warm-up only clicks on what this system itself showed in its
    first k are trained on, with their places, as the engine does with its own pages.
    """

    def __init__(
        self,
        name: str,
        k: int,
        config: EngineConfig,
        plan: Depths | None = None,
        *,
        own: bool = False,
    ) -> None:
        super().__init__(name, k)
        self.config = config
        self.plan = plan
        self.own = own
        self._kept: dict[str, Kept] = {}
        self._pages: dict[str, Docs] = {}
        self._rows: deque[Trained] = deque(maxlen=config.ranker_window)
        self._ranker: Ranker | None = None
        self._stale = False

    def learn(self, before: Sequence[Step], step: Step) -> None:
        """Take in the steps before. Clicks that come later than the step after theirs are left out."""
        if self.plan is None:
            self.plan = self._choose(before, step)
        later = [*(s.start for s in before[1:]), step.start]
        for past, now in zip(before, later, strict=True):
            self._collect(past, now)
        self._pages.clear()
        self._stale = True

    def _choose(self, before: Sequence[Step], step: Step) -> Depths:
        """The best plan for the searches of the warm-up, by what was visible at its end."""

        def known() -> Iterator[Asked]:
            for past in before:
                for one in past.asked:
                    if (seen := visible(one, step.start)).size:
                        yield replace(one, wanted=seen)

        if next(known(), None) is None:
            return np.full(len(step.state.retrievers), step.state.ladder[-1], np.int32)
        return best_plan(known(), step.state.ladder, self.config.budget)

    def answer(self, step: Step, asked: Asked) -> Answered:
        """Fusion ranks while there is nothing to train on."""
        if self._stale:
            self._train(step)
        made, ms = self._made(step, asked, self._ranker)
        answered = self.page(asked, made.candidates, made.scores, ms)
        self._kept[asked.id] = self._sample(asked, made, answered.docs)
        return answered

    def answered(self, step: Step, answers: Answers) -> None:
        """Remember the pages of its own."""
        if self.own:
            for place, asked in enumerate(step.asked):
                self._pages[asked.id] = answers.page(place)[0]

    def _train(self, step: Step) -> None:
        ranker = make_ranker(self.config, column_names(step.state.retrievers))
        if self._rows:
            ranker.fit(_judged(self._rows))
        self._ranker = ranker if ranker.fitted else None
        self._stale = False

    def _made(self, step: Step, asked: Asked, ranker: Ranker | None) -> tuple[Answer, float]:
        if self.plan is None:
            raise RuntimeError(f"{self.name}: asked for an answer before `learn` chose a plan")
        return planned(replace(step.state, ranker=ranker), asked, self.plan, self.config.at_least)

    def _sample(self, asked: Asked, made: Answer, page: Docs | None) -> Kept:
        docs = made.candidates.docs
        rng = generator_of(self.config.seed, 0, asked.id, asked.query.context)
        sampled = np.zeros(docs.size, bool)
        sampled[rng.permutation(docs.size)[: self.config.rest_sample]] = True
        wanted = asked.wanted
        if self.own and page is not None:
            wanted = page
        kept = np.flatnonzero(sampled | np.isin(docs, wanted))
        return Kept(docs[kept], made.features[kept], sampled[kept], docs.size)

    def _collect(self, step: Step, now: datetime) -> None:
        for asked in step.asked:
            page = self._pages.get(asked.id) if step.measured and self.own else None
            kept = self._kept.pop(asked.id, None)
            if kept is None:
                kept = self._sample(asked, self._made(step, asked, None)[0], page)
            clicked, places = np.isin(kept.docs, visible(asked, now)), np.zeros(kept.docs.size, int)
            first = clicked
            if page is not None:
                for place, row in enumerate(page.tolist(), start=1):
                    places[kept.docs == row] = place
                first = places > 0
                clicked &= first
            if not clicked.any():
                continue
            taken = first | kept.sampled
            rest = int((kept.sampled & ~first).sum())
            weights = np.where(first, 1.0, (kept.candidates - first.sum()) / max(rest, 1))
            self._rows.append(
                Trained(
                    kept.features[taken],
                    clicked[taken].astype(np.int32),
                    weights[taken],
                    places[taken].astype(np.int32),
                )
            )


def _judged(rows: Sequence[Trained]) -> Judged:
    sizes = [one.labels.size for one in rows]
    return Judged(
        features=np.concatenate([one.features for one in rows]),
        labels=np.concatenate([one.labels for one in rows]).astype(np.float64),
        weights=np.concatenate([one.weights for one in rows]),
        positions=np.concatenate([one.places for one in rows]),
        starts=np.cumsum([0, *sizes], dtype=np.int64),
    )
