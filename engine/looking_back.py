"""Looking back on a chunk of searches: what each generator would have brought of what was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandit.base import Choice
from engine.answering import (
    Answer,
    assemble,
    context_from_json,
    generator_of,
    on_the_hour,
)
from engine.budgets import Beside
from engine.chunks import Searched
from engine.config import EngineConfig
from engine.full_answers import FullAnswers
from engine.gathering import drawn_of
from engine.hindsight import clicked_ranks, rung_rewards, shared_rewards
from engine.log_rows import EventRow
from engine.pruning import Lesson, lesson, passed, rows_of
from engine.query_features import QueryFacts
from engine.state import State
from engine.statistics import Observation
from engine.threads import each
from engine.understanding import read
from retrievers.base import Hits, Query
from retrievers.candidates import Candidates, union


@dataclass(frozen=True, slots=True, eq=False)
class LookedBack:
    """One search, as the state before its chunk sees it.

    `rewards` (s, L): what each rung brings of the clicked items, as their mean weight; `found`: the
    weight of those liked alone;
    `both` (s, L, s, L): what both of two rungs bring, None without clicks; `candidates`:
    how many of an imported search would have reached the ranker, `beside` at other budgets; `served`: the answer it
    would have had, None where no ranker is trained. `lesson`: what pruning learns from, None of other
    searches than imported ones with a click on what was drawn.
    """

    record: Searched
    query: Query
    facts: QueryFacts
    depths: NDArray[np.int32]
    propensity: float
    marginals: NDArray[np.float64]
    actions: NDArray[np.float64]
    rewards: NDArray[np.float64]
    found: NDArray[np.float64]
    both: NDArray[np.float64] | None
    clicks: float
    candidates: int | None
    beside: tuple[int, ...]
    served: Answer | None
    lesson: Lesson | None

    @property
    def observation(self) -> Observation:
        """What the statistics take in."""
        return Observation(
            kind=self.facts.kind,
            user=self.query.context.user,
            query=self.facts.key,
            clicks=self.clicks,
            found=self.found,
            both=self.both,
            late=self.record.late,
        )


def look_back(
    state: State,
    config: EngineConfig,
    records: list[Searched],
    ask: FullAnswers,
    threads: int = 1,
    beside: Sequence[Beside] = (),
) -> list[LookedBack]:
    """Each search with its credit. Where something was clicked generators are asked in full, by `ask`,
    which is of `state`. `beside`: budgets that are priced as well."""

    def look(record: Searched) -> LookedBack:
        query = read(state, query_of(record), [], {})
        rows, weights = _wanted(state, config, [*record.events, *record.borrowed])
        hits = ask(query) if rows.size else []
        return _one(state, config, record, query, rows, weights, hits, beside)

    return each(look, records, threads)


def query_of(record: Searched) -> Query:
    """The query as it was asked; a search without a time in its context was asked when logged."""
    search = record.search
    context = context_from_json(search.context)
    if context.time is None:
        context = replace(context, time=on_the_hour(search.time))
    if context.user is None and search.user is not None:
        context = replace(context, user=search.user)
    return Query(text=search.text, context=context, typed=search.typed)


def _wanted(
    state: State, config: EngineConfig, events: list[EventRow]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(rows, weights) of the items with a reward, each once with its largest weight."""
    best: dict[int, float] = {}
    for event in events:
        row = state.catalog.row(event.document)
        weight = config.rewards.get(event.action, 0.0) * event.weight
        if row is not None and weight != 0.0:
            best[row] = max(best.get(row, -np.inf), weight)
    return np.array(list(best), np.int32), np.array(list(best.values()), np.float64)


def _one(
    state: State,
    config: EngineConfig,
    record: Searched,
    query: Query,
    rows: NDArray[np.int32],
    weights: NDArray[np.float64],
    hits: list[Hits],
    beside: Sequence[Beside],
) -> LookedBack:
    s, rungs = len(state.retrievers), state.ladder.size
    facts = state.facts(query)
    actions, overlap = state.actions(facts, query.context.user)
    search, served = record.search, None
    candidates: int | None = None
    elsewhere = list[int]()

    def plan_at(price: float) -> Choice:
        rng = generator_of(config.seed, state.version, search.typed, query.context)
        successes = state.statistics.successes(facts.kind)
        return state.policy.choose(facts.x, actions, overlap, price, rng, successes)

    names = tuple(state.retrievers)
    told: Lesson | None = None
    if search.imported:
        choice = plan_at(state.price)
        depths, marginals = choice.depths, choice.marginals
        propensity = np.nan  # nobody was served this plan: every rung's reward is known alike
        if rows.size:
            brought = drawn_of(hits, depths, config.at_least)
            if config.ranker_window:
                served = assemble(state, query, facts, choice, brought, config.at_least)
                drawn, candidates = served.drawn, len(served.candidates)
            else:
                drawn = union(names, depths.tolist(), brought)
                candidates = len(passed(state, facts, drawn, config.at_least))
            for other in beside:
                at, least = plan_at(other.priced.price).depths, other.config.at_least
                there = union(names, at.tolist(), drawn_of(hits, at, least))
                elsewhere.append(len(passed(other.on(state), facts, there, least)))
            told = _lesson(state, config, record, facts, drawn, rows[weights > 0])
    else:
        played = [search.plan.get(name, (0, 1.0)) for name in state.retrievers]
        depths = np.array([depth for depth, _ in played], np.int32)
        marginals = np.array([marginal for _, marginal in played])
        # An interleaved page has none. Only what its plan drew is taught where nothing was clicked.
        propensity = 1.0 if search.propensity is None else search.propensity
    rewards = found = np.zeros((s, rungs))
    both: NDArray[np.float64] | None = None
    if rows.size:
        ranks, liked = clicked_ranks(hits, rows), np.maximum(weights, 0.0)
        # A search counts once, however many items were clicked in it.
        rewards = rung_rewards(ranks, weights / max(int(np.count_nonzero(liked)), 1), state.ladder)
        found = rung_rewards(ranks, liked, state.ladder)
        both = shared_rewards(ranks, liked, state.ladder)
    return LookedBack(
        record=record, query=query, facts=facts, depths=depths, propensity=propensity,
        marginals=marginals, actions=actions, rewards=rewards, found=found, both=both,
        clicks=float(np.maximum(weights, 0.0).sum()),
        candidates=candidates, beside=tuple(elsewhere), served=served, lesson=told,
    )  # fmt: skip


def _lesson(
    state: State,
    config: EngineConfig,
    record: Searched,
    facts: QueryFacts,
    drawn: Candidates,
    clicked: NDArray[np.int32],
) -> Lesson | None:
    """What was drawn of a search served elsewhere, and which of it was clicked; None where nothing of it was.

    What is clicked on pages of its own says nothing of what these lacked.
    """
    hit = np.isin(drawn.docs, clicked)
    if state.pruner is None or record.late or not hit.any():
        return None
    rng = np.random.default_rng((config.seed, record.search.seq))
    shares = (hit / clicked.size).astype(np.float32)
    return lesson(rows_of(facts, drawn, state.catalog.types), shares, rng)
