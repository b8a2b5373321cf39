"""The price of a candidate and the bar for it, set so that the mean of candidates meets the budget."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandit import tune
from engine.config import EngineConfig
from engine.full_answers import FullAnswers
from engine.gathering import drawn_of
from engine.hindsight import Answers, answers, distinct
from engine.pruning import bar_for, rows_of, worthy
from engine.query_features import QueryFacts
from engine.state import State
from engine.threads import each
from engine.understanding import read
from retrievers.base import Hits, Query
from retrievers.candidates import union

TELLING = 50
"""Searches below which they say nothing of the drift."""
HALFWAY = 500
"""Searches that say as much of the drift as was known of it."""
AIM = 0.98
"""Share of the budget that the price is set for: a mean a little above it is one too many."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """A search with the full answers of all generators, by which any plan's cost is known. `drew`: the candidates it
    had when the state before served it, 0 where it did not. `page` (s, L, s, L): what both of two rungs bring of its
    best page (see `engine.best_pages`), in all 1; None where that was not ranked."""

    query: Query
    facts: QueryFacts
    hits: list[Hits]
    answers: Answers
    drew: int = 0
    page: NDArray[np.float64] | None = None


def surveyed(
    state: State, queries: Sequence[Query], ask: FullAnswers, threads: int = 1
) -> list[Sampled]:
    """Ask all generators in full for some queries, by `ask`, which is of `state`."""

    def survey(query: Query) -> Sampled:
        query = read(state, query, [], {})
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


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a candidate costs: `price` of what plans draw, `bar` for what of it reaches the ranker (see
    `engine.pruning`), and the `mean` of candidates at both."""

    price: float
    bar: float
    mean: float


def leaning(sample: Collection[Sampled], served: float) -> float:
    """By what factor a sample draws more than all searches do, as those of it that were served did: a few
    hundred that happen to be for long answers would make the price too high for all others."""
    drew = [one.drew for one in sample if one.drew]
    return float(np.mean(drew)) / served if len(drew) >= TELLING and served > 0 else 1.0


def tuned(
    state: State, config: EngineConfig, sample: Collection[Sampled], served: float = np.nan
) -> Tuned:
    """The price and the bar that meet the budget over the sample, exploration included.

    The plans are drawn with the same random numbers at every price, so that the mean falls with the
    price. `served`: the mean of candidates of all searches served since the last price, see `leaning`. Where
    documents can be pruned, plans may draw `config.drawn` in the mean. Without a sample the price stays.
    """
    if not sample:
        return Tuned(state.price, state.bar, float("nan"))
    asked = []
    for one in sample:
        facts, user = state.facts(one.query), one.query.context.user
        features, overlap = state.actions(facts, user)
        asked.append((facts, features, overlap, state.statistics.successes(facts.kind), one.hits))

    def drawn(price: float) -> Iterator[list[Hits]]:
        for place, (facts, features, overlap, successes, hits) in enumerate(asked):
            rng = np.random.default_rng((config.seed, place))
            choice = state.policy.choose(facts.x, features, overlap, price, rng, successes)
            yield drawn_of(hits, choice.depths, config.at_least)

    def mean(price: float) -> float:
        return float(np.mean([distinct(hits) for hits in drawn(price)]))

    heavier = leaning(sample, served)
    wanted = AIM * config.budget / state.drift * heavier
    pruner = state.pruner
    if pruner is None or not pruner.grown or not config.prunes:
        price = tune(mean, wanted, state.price)
        return Tuned(price, -np.inf, mean(price) / heavier)
    price = tune(mean, config.drawn, state.price)
    odds = []
    for (facts, *_), hits in zip(asked, drawn(price), strict=True):
        found = union(tuple(state.retrievers), [0] * len(hits), hits)
        odds.append(pruner.probable(rows_of(facts, found, state.catalog.types)))
    bar = bar_for(odds, wanted, config.at_least)
    kept = [np.count_nonzero(worthy(one, bar, config.at_least)) for one in odds]
    return Tuned(price, bar, float(np.mean(kept)) / heavier)
