"""`learn`: the only writer of what is learnt. Walks the log, each chunk on the state before it."""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandit.base import RetrievalPolicy, Rounds
from engine.answering import (
    Answer,
    assemble,
    context_from_json,
    gather,
    generator_of,
    on_the_hour,
    plan,
)
from engine.chunks import Chunk, Searched, chunks
from engine.config import EngineConfig
from engine.hindsight import Answers, answers, clicked_ranks, rung_rewards, shared_rewards
from engine.log import Log
from engine.log_rows import EventRow, FeatureRows
from engine.pricing import Sampled, tuned
from engine.query_features import QueryFacts
from engine.ranking_features import column_names
from engine.response import LearnReport
from engine.showing import feature_rows
from engine.state import State
from engine.statistics import Observation
from engine.training import train
from retrievers.base import Hits, Learns, Outcome, Query

PRICED = 20
"""Searches in the last chunk's last fifth below which the price is left as it is."""

Progress = Callable[[Iterable[Chunk]], Iterable[Chunk]]


@dataclass(frozen=True, slots=True, eq=False)
class LookedBack:
    """One search of a chunk, as the state before the chunk sees it."""

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
    answers: Answers | None
    served: Answer | None
    hits: list[Hits]

    @property
    def observation(self) -> Observation:
        """What the statistics take in."""
        return Observation(
            kind=self.facts.kind, user=self.query.context.user, query=self.facts.key,
            clicks=self.clicks, found=self.found, both=self.both, answers=self.answers,
            late=self.record.late,
        )  # fmt: skip


def learn(
    state: State, log: Log, config: EngineConfig, progress: Progress | None = None
) -> tuple[State, LearnReport]:
    """A new state that has learnt every record the given one has not.

    Per chunk, on the state before it: hindsight (ranks of the clicked items in every generator),
    the bandit, features of imported searches; then the generators observe. Position bias and ranker
    are learnt last, from features as they were logged. The given state is left as it is.
    """
    started = time.perf_counter()
    until = log.last()
    cut = list(chunks(log, state.learnt, until, config.chunk))
    ignored: Counter[str] = Counter()
    searches = events = rounds = 0
    price, mean = state.price, float("nan")
    for chunk in progress(cut) if progress else cut:
        searches += len(chunk.searches)
        records = [e for r in chunk.searches for e in r.events] + chunk.outside
        events += len(records)
        ignored.update(e.action for e in records if e.action not in config.rewards)
        looked = _look_back(state, config, chunk)
        rounds += len(looked)
        log.put_rows(_imported_rows(state, config, looked))
        after = _advance(state, config, chunk, looked)
        if chunk is cut[-1]:
            price, mean = _price(state, after.policy, config, looked)
        state = after
    state = replace(state, price=price, version=state.version + 1, learnt=until)
    state, verdict = train(state, log, config, until)
    ranker = state.ranker.name if state.ranker is not None else state.fusion.name
    return state, LearnReport(
        searches=searches, events=events, chunks=len(cut), rounds=rounds, ranker=ranker,
        verdict=verdict, price=price, candidates_mean=mean,
        seconds=time.perf_counter() - started, ignored=dict(ignored),
    )  # fmt: skip


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


def _price(
    before: State, policy: RetrievalPolicy, config: EngineConfig, looked: list[LookedBack]
) -> tuple[float, float]:
    """The price under the new policy, and the mean of candidates at it, told by the chunk's latest
    searches while the statistics have seen all of it but them."""
    first = len(looked) - max(len(looked) // 5, 1)
    statistics = copy.copy(before.statistics)
    statistics.observe([one.observation for one in looked[:first]])
    sample = [Sampled(one.query, one.hits) for one in looked[first:] if one.answers is not None]
    if len(sample) < PRICED:
        return before.price, float("nan")
    return tuned(replace(before, statistics=statistics, policy=policy), config, sample)


def _look_back(state: State, config: EngineConfig, chunk: Chunk) -> list[LookedBack]:
    count = len(chunk.searches)
    kept = set(np.linspace(0, count - 1, min(config.hindsight, count)).astype(int).tolist())
    full = int(state.ladder[-1])
    looked: list[LookedBack] = []
    for place, record in enumerate(chunk.searches):
        query = query_of(record)
        rows, weights = _wanted(state, config, record.events)
        hits: list[Hits] = []
        if rows.size or place in kept:
            allowed = state.filters.mask(query.context.filters)
            hits = [r.retrieve(query, full, allowed) for r in state.retrievers.values()]
        facts = state.facts(query)
        looked.append(_one(state, config, record, query, facts, rows, weights, hits, place in kept))
    return looked


def _one(
    state: State,
    config: EngineConfig,
    record: Searched,
    query: Query,
    facts: QueryFacts,
    rows: NDArray[np.int32],
    weights: NDArray[np.float64],
    hits: list[Hits],
    keep: bool,
) -> LookedBack:
    s, rungs = len(state.retrievers), state.ladder.size
    actions = state.statistics.action_features(facts.kind, query.context.user, facts.key)
    search, served = record.search, None
    if search.imported:
        rng = generator_of(config.seed, state.version, search.typed, query.context)
        choice = plan(state, facts, query.context.user, rng)
        depths, marginals = choice.depths, choice.marginals
        propensity = np.nan  # nobody was served this plan: every rung's reward is known alike
        if rows.size:
            drawn = gather(lambda g, depth: hits[g].top(depth), depths, config.least)
            served = assemble(state, query, facts, choice, drawn)
    else:
        played = [search.plan.get(name, (0, 1.0)) for name in state.retrievers]
        depths = np.array([depth for depth, _ in played], np.int32)
        marginals = np.array([marginal for _, marginal in played])
        propensity = search.propensity or 1.0
    rewards = found = np.zeros((s, rungs))
    both: NDArray[np.float64] | None = None
    if rows.size:
        ranks, liked = clicked_ranks(hits, rows), np.maximum(weights, 0.0)
        rewards = rung_rewards(ranks, weights, state.ladder)
        found = rung_rewards(ranks, liked, state.ladder)
        both = shared_rewards(ranks, liked, state.ladder)
    return LookedBack(
        record=record, query=query, facts=facts, depths=depths, propensity=propensity,
        marginals=marginals, actions=actions, rewards=rewards, found=found, both=both,
        clicks=float(np.maximum(weights, 0.0).sum()),
        answers=answers(hits, state.catalog.types, state.ladder) if keep else None,
        served=served, hits=hits if keep else [],
    )  # fmt: skip


def _imported_rows(
    state: State, config: EngineConfig, looked: list[LookedBack]
) -> Iterable[tuple[int, FeatureRows]]:
    """Features of imported searches, as the state before their chunk would have served them."""
    names = column_names(state.retrievers)
    for one in looked:
        if one.served is None:
            continue
        search = one.record.search
        known = {e.document for e in one.record.events} | set(search.shown)
        rows = [state.catalog.row(document) for document in known]
        wanted = np.array([row for row in rows if row is not None], np.int32)
        first = np.flatnonzero(np.isin(one.served.candidates.docs, wanted))
        rng = generator_of(config.seed, search.seq, search.typed, one.query.context)
        yield search.seq, feature_rows(state, names, one.served, first, config.rest_sample, rng)


def _advance(state: State, config: EngineConfig, chunk: Chunk, looked: list[LookedBack]) -> State:
    """The state after a chunk. Everything that learns is copied first, so the old one stands."""
    policy, statistics = copy.copy(state.policy), copy.copy(state.statistics)
    if looked:
        policy.update(
            Rounds(
                contexts=np.stack([one.facts.x for one in looked]),
                actions=np.stack([one.actions for one in looked]),
                depths=np.stack([one.depths for one in looked]),
                propensities=np.array([one.propensity for one in looked]),
                marginals=np.stack([one.marginals for one in looked]),
                rewards=np.stack([one.rewards for one in looked]),
                late=np.array([one.record.late for one in looked]),
            )
        )
    statistics.observe([one.observation for one in looked])
    outcomes = _outcomes(state, config, chunk, looked)
    topics = copy.copy(state.topics)
    topics.observe(outcomes)
    retrievers = {name: copy.copy(r) for name, r in state.retrievers.items()}
    for retriever in retrievers.values():
        if isinstance(retriever, Learns):
            retriever.observe(outcomes)
    return replace(
        state, policy=policy, statistics=statistics, topics=topics, retrievers=retrievers
    )


def _outcomes(
    state: State, config: EngineConfig, chunk: Chunk, looked: list[LookedBack]
) -> list[Outcome]:
    found: list[Outcome] = []

    def take(event: EventRow, query: Query | None, user: str | None) -> None:
        row = state.catalog.row(event.document)
        weight = config.rewards.get(event.action)
        if row is not None and weight is not None:
            found.append(
                Outcome(
                    query=query, doc=row, action=event.action, weight=weight * event.weight,
                    user=event.user or user, time=event.time, position=event.position,
                )
            )  # fmt: skip

    for one in looked:
        for event in one.record.events:
            take(event, one.query, one.query.context.user)
    for event in chunk.outside:
        take(event, None, None)
    return sorted(found, key=lambda outcome: outcome.time)
