"""`learn`: the only writer of what is learnt. Walks the log, each chunk on the state before it."""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from bandit.base import Rounds
from engine.answering import generator_of
from engine.best_pages import with_pages
from engine.budgets import Beside
from engine.chains import chained
from engine.chunks import Chunk, beginning, chunks
from engine.config import EngineConfig
from engine.foresight import Foresight
from engine.full_answers import FullAnswers
from engine.influence import Deed, bounded
from engine.log import Log
from engine.log_rows import EventRow, FeatureRows, SearchRow
from engine.looking_back import LookedBack, look_back
from engine.pricing import Sampled, drifted, surveyed, tuned
from engine.pruning import Pruner
from engine.ranking_features import column_names
from engine.response import LearnReport, Priced
from engine.showing import feature_rows
from engine.state import State
from engine.statistics import PlanStatistics
from engine.training import train
from retrievers.base import Learns, Outcome, Query

SAMPLE = 200
"""Searches that tell the price, at least; where a chunk has fewer, those before it do too."""


def learn(
    state: State,
    log: Log,
    config: EngineConfig,
    progress: bool = False,
    threads: int = 1,
    beside: Sequence[Priced] = (),
) -> tuple[State, LearnReport]:
    """A new state that has learnt every record the given one has not.

    Per chunk, on the state before it: hindsight (ranks of the clicked items in every generator),
    the bandit, features of imported searches; then the generators observe. Position bias and ranker
    are learnt last, from features as they were logged. The given state is left as it is. What is learnt
    does not depend on `threads`. `beside`: budgets to price as well, see `engine.budgets`.
    """
    started = time.perf_counter()
    until = log.last()
    cut = list(chunks(log, state.learnt, until, config.chunk))
    ignored: Counter[str] = Counter()
    searches = events = rounds = 0
    priced = False
    # Searches that were served by the given state; imported ones are planned as they are looked back on.
    version = state.version
    drawn = [n for chunk in cut for one in chunk.searches if (n := _served(one.search, version))]
    served = float(np.mean(drawn)) if drawn else float("nan")
    ask, latest, unpriced = FullAnswers(state), list[LookedBack](), 0
    others = [Beside.of(state, config, one) for one in beside]
    for number, chunk in enumerate(
        tqdm(cut, desc="learning", unit=" chunks", disable=not progress)
    ):
        chunk.searches = chained(chunk.searches, config.rewards)
        searches += len(chunk.searches)
        records = [e for r in chunk.searches for e in r.events] + chunk.outside
        events += len(records)
        ignored.update(e.action for e in records if e.action not in config.rewards)
        looked = look_back(state, config, chunk.searches, ask, threads, others)
        rounds += len(looked)
        told = [one for one in looked if one.candidates is not None]
        drawn += [one.candidates for one in looked if one.candidates is not None]
        elsewhere = [[one.beside[i] for one in told] for i in range(len(others))]
        # Made before the log is locked, so that searches can be logged meanwhile.
        log.put_rows(list(_imported_rows(state, config, looked)))
        after = _advance(state, config, chunk, looked, _before(state, log, config, chunk))
        ask = ask.after(after)
        unpriced += len(looked)
        # Not at every chunk of a few searches: asking so many again takes longer than looking back on them.
        due = bool(looked) and (unpriced >= SAMPLE // 2 or number in (0, len(cut) - 1))
        count = max(min(config.hindsight, len(looked)), SAMPLE if due else 0)
        latest = (latest + looked)[-max(count, SAMPLE) :]
        asked = latest[max(len(latest) - count, 0) :]
        sample = surveyed(after, [one.query for one in asked], ask, threads)
        sample = [
            replace(told, drew=_served(one.record.search, version))
            for told, one in zip(sample, asked, strict=True)
        ]
        sample = with_pages(after, sample, threads)
        after = replace(after, statistics=_told(after.statistics, sample))
        # Not at the end alone, so that what a long history teaches the ranker is drawn within the budget.
        telling = sample if due else []
        others = [
            one.at(
                _priced(one.on(state), one.on(after), one.config, looked, telling, counts, served)
            )
            for one, counts in zip(others, elsewhere, strict=True)
        ]
        state, drawn = _priced(state, after, config, looked, telling, drawn, served), []
        if telling:
            priced, unpriced = True, 0
    state = replace(state, version=state.version + 1, learnt=until)
    state, verdict = train(state, log, config, until, threads)
    ranker = state.ranker.name if state.ranker is not None else state.fusion.name
    return state, LearnReport(
        searches=searches, events=events, chunks=len(cut), rounds=rounds, ranker=ranker,
        verdict=verdict, price=state.price,
        candidates_mean=state.expected if priced else float("nan"),
        seconds=time.perf_counter() - started, ignored=dict(ignored),
        beside=tuple(other.priced for other in others),
    )  # fmt: skip


def _served(search: SearchRow, version: int) -> int:
    """Candidates of a search that a version of the state served, 0 for any other."""
    return (search.candidates or 0) if search.version == version else 0


def _told(statistics: PlanStatistics, sample: list[Sampled]) -> PlanStatistics:
    """Statistics that know what the generators returned to the sample, and of its best pages."""
    told = copy.copy(statistics)
    told.look_at_pages([(one.facts.kind, one.page) for one in sample if one.page is not None])
    told.look_at([(one.facts.kind, one.answers) for one in sample])
    return told


def _priced(
    before: State,
    after: State,
    config: EngineConfig,
    looked: list[LookedBack],
    sample: list[Sampled],
    drawn: Sequence[int],
    served: float,
) -> State:
    """The state after a chunk, with drift, price and the mean of candidates at it; the last two stay
    without a sample.

    The latest half of the chunk's searches tells, or the latest `SAMPLE`, asked of the generators as they
    are after it, by statistics that have seen all of the chunk but them: a plan for a query just learnt
    is more economical than plans for those to come.
    """
    after = replace(after, drift=drifted(before, drawn))
    if not sample:
        return after
    count = min(max(len(looked) // 2, SAMPLE), len(sample))
    statistics = copy.copy(before.statistics)
    statistics.observe([one.observation for one in looked[:-count]])
    probed = replace(after, statistics=_told(statistics, sample), foresight=before.foresight)
    found = tuned(probed, config, sample[-count:], served)
    return replace(after, price=found.price, bar=found.bar, expected=found.mean)


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


def _advance(
    state: State,
    config: EngineConfig,
    chunk: Chunk,
    looked: list[LookedBack],
    before: Mapping[Deed, int],
) -> State:
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
    outcomes = bounded(_outcomes(state, config, chunk, looked), before)
    # Only what queries are for: who did what, and how often, is told by where it was done.
    borrowed = bounded(_borrowed(state, config, looked), before)
    with_borrowed = sorted([*outcomes, *borrowed], key=lambda outcome: outcome.time)
    topics = copy.copy(state.topics)
    topics.observe(outcomes)
    retrievers = {name: copy.copy(r) for name, r in state.retrievers.items()}
    for retriever in retrievers.values():
        if isinstance(retriever, Learns):
            retriever.observe(with_borrowed if retriever.of_queries else outcomes)
    return replace(
        state, policy=policy, statistics=statistics, topics=topics, retrievers=retrievers,
        foresight=_foreseeing(state, config, looked), pruner=_pruning(state, config, looked),
    )  # fmt: skip


def _foreseeing(state: State, config: EngineConfig, looked: list[LookedBack]) -> Foresight | None:
    """Foresight that has seen a chunk; clicks that came after their search was learnt are passed over."""
    new = [one for one in looked if not one.record.late]
    if state.foresight is None or not new:
        return state.foresight
    foresight = copy.copy(state.foresight)
    rows = [foresight.rows(one.facts.x, one.facts.at_most, one.actions) for one in new]
    rng = np.random.default_rng((config.seed, new[-1].record.search.seq))
    foresight.observe(np.stack(rows), np.stack([one.rewards for one in new]), rng)
    return foresight


def _pruning(state: State, config: EngineConfig, looked: list[LookedBack]) -> Pruner | None:
    """A pruner that has seen a chunk."""
    lessons = [one.lesson for one in looked if one.lesson is not None]
    if state.pruner is None or not lessons:
        return state.pruner
    pruner = copy.copy(state.pruner)
    pruner.observe(lessons, config.seed)
    return pruner


def _before(state: State, log: Log, config: EngineConfig, chunk: Chunk) -> dict[Deed, int]:
    """What the people of a chunk did in its stretch of time that was learnt before."""
    times = [e.time for r in chunk.searches for e in r.events] + [e.time for e in chunk.outside]
    if not times or not state.learnt[1]:
        return {}
    found: Counter[Deed] = Counter()
    since = beginning(min(times), config.chunk)
    for user, document, action, count in log.deeds(since, state.learnt[1]):
        row, weight = state.catalog.row(document), config.rewards.get(action, 0.0)
        if row is not None and weight != 0.0:
            found[user, row, weight > 0.0] += count
    return found


def _outcomes(
    state: State, config: EngineConfig, chunk: Chunk, looked: list[LookedBack]
) -> list[Outcome]:
    told = [
        _outcome(state, config, event, one.query) for one in looked for event in one.record.events
    ]
    told += [_outcome(state, config, event, None) for event in chunk.outside]
    return sorted((one for one in told if one is not None), key=lambda outcome: outcome.time)


def _borrowed(state: State, config: EngineConfig, looked: list[LookedBack]) -> list[Outcome]:
    told = [
        _outcome(state, config, event, one.query) for one in looked for event in one.record.borrowed
    ]
    return [one for one in told if one is not None]


def _outcome(
    state: State, config: EngineConfig, event: EventRow, query: Query | None
) -> Outcome | None:
    """None where the event is with nothing that is known, or means nothing."""
    row = state.catalog.row(event.document)
    weight = config.rewards.get(event.action)
    if row is None or weight is None:
        return None
    user = event.user or (None if query is None else query.context.user)
    return Outcome(
        query=query, doc=row, action=event.action, weight=weight * event.weight, user=user,
        time=event.time, position=event.position,
    )  # fmt: skip
