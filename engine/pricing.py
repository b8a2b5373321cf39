"""The price of a candidate, set so that the mean of candidates meets the budget."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from bandit import tune
from engine.answering import drawn_of
from engine.config import EngineConfig
from engine.full_answers import FullAnswers
from engine.hindsight import Answers, answers, distinct
from engine.query_features import QueryFacts
from engine.state import State
from engine.threads import each
from retrievers.base import Hits, Query

TELLING = 50
"""Searches below which they say nothing of the drift."""
HALFWAY = 500
"""Searches that say as much of the drift as was known of it."""
AIM = 0.98
"""Share of the budget that the price is set for: a mean a little above it is one too many."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """A search with the full answers of all generators, by which any plan's cost is known."""

    query: Query
    facts: QueryFacts
    hits: list[Hits]
    answers: Answers


def surveyed(
    state: State, queries: Sequence[Query], ask: FullAnswers, threads: int = 1
) -> list[Sampled]:
    """Ask all generators in full for some queries, by `ask`, which is of `state`."""

    def survey(query: Query) -> Sampled:
        hits = ask(query)
        kept = answers(hits, state.catalog.types, state.ladder)
        return Sampled(query, state.facts(query), hits, kept)

    return each(survey, queries, threads)


def drifted(state: State, drawn: Sequence[int]) -> float:
    """By what factor searches draw more candidates than the price was set for: between what was known
    and what `drawn`, the candidates of searches under this state, say, the nearer to that the more
    they are."""
    if len(drawn) < TELLING or not state.expected > 0:
        return state.drift
    said = float(np.clip(np.mean(drawn) / state.expected, 0.5, 2.0))
    return state.drift + (said - state.drift) * len(drawn) / (len(drawn) + HALFWAY)


def tuned(state: State, config: EngineConfig, sample: Collection[Sampled]) -> tuple[float, float]:
    """(price, mean of candidates at it) over the sample, exploration included.

    The plans are drawn with the same random numbers at every price, so that the mean falls with the
    price. Without a sample the price stays.
    """
    if not sample:
        return state.price, float("nan")
    asked = []
    for one in sample:
        facts, user = state.facts(one.query), one.query.context.user
        features, overlap = state.actions(facts, user)
        successes = state.statistics.successes(facts.kind)
        asked.append((facts.x, features, overlap, successes, one.hits))

    def mean(price: float) -> float:
        sizes = []
        for place, (x, features, overlap, successes, hits) in enumerate(asked):
            rng = np.random.default_rng((config.seed, place))
            depths = state.policy.choose(x, features, overlap, price, rng, successes).depths
            sizes.append(distinct(drawn_of(hits, depths, config.at_least)))
        return float(np.mean(sizes))

    price = tune(mean, AIM * config.budget / state.drift, state.price)
    return price, mean(price)
