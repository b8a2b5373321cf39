"""What the bandit believes: how much each generator would bring at each depth, by kind of query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bandit.policy import LadderPolicy
from engine.answering import on_the_hour
from engine.log import Log
from engine.query_features import QueryFacts
from engine.state import State
from engine.understanding import read
from retrievers.base import Context, Query

LATEST = 400
"""Searches of the log that are looked at for examples of each kind."""
EXAMPLES = 16
"""Searches of one kind whose beliefs are averaged."""
TITLES = 64
"""Titles that stand in while nothing was searched yet."""


@dataclass(frozen=True, slots=True)
class GeneratorBelief:
    """Of one generator, in the mean over examples of a kind.

    `depth`: planned greedily; `gains`: per rung of the ladder, the share of a click that the policy
    expects it to bring, `bonuses`: the optimism on top, which shrinks as it learns; both empty where
    the policy estimates nothing. `found`: per rung, the share of what was clicked in searches of this
    kind that it had within that depth, as far as `learn` has seen, drawn towards other kinds'.
    """

    generator: str
    depth: float
    gains: tuple[float, ...]
    bonuses: tuple[float, ...]
    found: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Belief:
    """Of one kind of query, named as in `QueryFacts.kind`; `searches` learnt from and `examples`
    looked at."""

    kind: str
    searches: float
    examples: int
    generators: tuple[GeneratorBelief, ...]


def beliefs(state: State, queries: Iterable[Query]) -> tuple[Belief, ...]:
    """By kind of the queries given as examples, the commonest first. Asks no generator."""
    groups: dict[str, list[tuple[QueryFacts, str | None]]] = {}
    for query in queries:
        facts = state.facts(read(state, query, [], {}))
        group = groups.setdefault(facts.kind, [])
        if len(group) < EXAMPLES:
            group.append((facts, query.context.user))
    found = [_belief(state, kind, examples) for kind, examples in groups.items()]
    return tuple(sorted(found, key=lambda one: (-one.searches, -one.examples, one.kind)))


def typical_queries(state: State, log: Log, now: float) -> list[Query]:
    """The latest searches; titles of the catalogue where there are none. `now`: POSIX seconds."""
    last, _ = log.last()
    time = on_the_hour(now)
    found = [
        Query(row.text, Context(user=row.user, time=time), typed=row.typed)
        for row in log.searches(max(last - LATEST, 0), last)
    ]
    if found:
        return found[::-1]
    step = max(state.catalog.rows // TITLES, 1)
    titles = state.catalog.documents(range(0, state.catalog.rows, step))
    return [Query(document.title, Context(time=time)) for _, document in titles]


def _belief(state: State, kind: str, examples: list[tuple[QueryFacts, str | None]]) -> Belief:
    names, statistics, policy = tuple(state.retrievers), state.statistics, state.policy
    shape = (len(examples), len(names), state.ladder.size)
    gains, bonuses = np.full(shape, np.nan), np.full(shape, np.nan)
    depths = np.zeros(shape[:2])
    successes = statistics.successes(kind)
    for place, (facts, user) in enumerate(examples):
        if not isinstance(policy, LadderPolicy):
            continue
        told = state.actions(facts, user)
        chances = policy.distribution(facts.x, *told, state.price, successes)
        gains[place], bonuses[place] = chances.gains, chances.bonuses
        depths[place] = (chances.weights[:, None] * state.ladder[chances.plans]).sum(axis=0)
    estimated = bool(np.isfinite(gains).all())
    gain, bonus, depth = gains.mean(axis=0), bonuses.mean(axis=0), depths.mean(axis=0)
    found = np.einsum("ilil->il", successes)
    return Belief(
        kind=kind,
        searches=statistics.kinds.counts(kind)[0],
        examples=len(examples),
        generators=tuple(
            GeneratorBelief(
                generator=name,
                depth=float(depth[g]),
                gains=tuple(gain[g].tolist()) if estimated else (),
                bonuses=tuple(bonus[g].tolist()) if estimated else (),
                found=tuple(found[g].tolist()),
            )
            for g, name in enumerate(names)
        ),
    )
