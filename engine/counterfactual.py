"""What a state would have earned on searches that another one answered.

A state plays plans: how deep each generator is asked. The log says which plan was played and how
probable it was, and how probable it would be under another state follows from that state's
statistics for the search's facts. What its generators have learnt and how it ranks is no action
of the log: the estimate takes both as they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandit import LadderPolicy, PlanDistribution
from bandit.ope import Evidence, Feedback, crossfitted_rewards, of_plans
from engine.chunks import Searched
from engine.config import EngineConfig
from engine.errors import BadInput
from engine.log import Log
from engine.log_rows import EventRow, FeatureRows, SearchRow
from engine.looking_back import query_of
from engine.ranking_features import column_names
from engine.state import State
from engine.understanding import read
from retrievers.base import Query

Floats = NDArray[np.float64]

MODELLED = 30
"""Searches below which no reward model is fitted."""
ALL = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """n answered searches over s generators, in order of time.

    `queries`: as they were asked; `draws` (n,): which draw of the policy decided a search's plan, since
    equal searches of one version share it; `contexts` (n, d), or (n, 0); `rungs` (n, s): the plans, as indices of
    `ladder` (L,); `propensities` (n,) and `marginals` (n, s): probability of the whole plan and of each
    depth on its own; `rewards` (n,): weight of the items acted on, each once with its largest;
    `shares` (n, s): a generator's part of it, an item's weight being divided equally among those
    that brought it. `marginals` and `shares` are None where the log does not tell.
    """

    generators: tuple[str, ...]
    ladder: NDArray[np.int32]
    queries: Sequence[Query]
    draws: NDArray[np.int64]
    contexts: Floats
    rungs: NDArray[np.int64]
    propensities: Floats
    marginals: Floats | None
    rewards: Floats
    shares: Floats | None

    def __len__(self) -> int:
        return int(self.rewards.shape[0])


def read_served(
    state: State,
    log: Log,
    config: EngineConfig,
    after: tuple[int, int],
    until: tuple[int, int],
) -> Served:
    """What `state` itself served beyond `after` (searches, events), up to `until`.

    Imported searches have no plan and are left out; contexts are the state's own features.
    """
    names = tuple(state.retrievers)
    rows = [
        row
        for row in log.searches(after[0], until[0])
        if not row.imported and row.propensity is not None and row.version == state.version
    ]
    place = {row.impression: n for n, row in enumerate(rows)}
    best: list[dict[str, float]] = [{} for _ in rows]
    for event in log.events(after[1], until[1]):
        n = -1 if event.impression is None else place.get(event.impression, -1)
        if n >= 0:
            take(best[n], event, config.rewards)
    shares = np.zeros((len(rows), len(names)))
    actions = [action for action, weight in config.rewards.items() if weight != 0]
    columns = column_names(state.retrievers)
    for search, features, _ in log.judged(columns, actions, until, ALL, after[0]):
        if search.impression in place:
            n = place[search.impression]
            shares[n] = divided(best[n], brought(features), names)
    played = [[row.plan.get(name, (0, 1.0)) for name in names] for row in rows]
    found = np.array(played, np.float64).reshape(len(rows), len(names), 2)
    logged = (query_of(Searched(row, [], late=False)) for row in rows)
    queries = [read(state, query, [], {}) for query in logged]
    facts = [state.facts(query).x for query in queries]
    return Served(
        generators=names,
        ladder=state.ladder,
        queries=queries,
        draws=draws_of(rows),
        contexts=np.stack(facts) if facts else np.zeros((0, 0)),
        rungs=rungs_of(found[:, :, 0].astype(np.int64), state.ladder),
        propensities=np.array([row.propensity for row in rows], np.float64),
        marginals=found[:, :, 1],
        rewards=np.array([sum(one.values()) for one in best], np.float64),
        shares=shares,
    )


def draws_of(rows: Sequence[SearchRow]) -> NDArray[np.int64]:
    """Shape (n,): rows with equal numbers had one seed (see `generator_of`), and so one random draw."""
    known: dict[str, int] = {}
    keys = (json.dumps([row.version, row.typed, row.context], sort_keys=True) for row in rows)
    return np.array([known.setdefault(key, len(known)) for key in keys], np.int64)


def take(best: dict[str, float], event: EventRow, rewards: Mapping[str, float]) -> None:
    """Add an event to {document: reward} of its search: each item once, with its largest weight."""
    worth = rewards.get(event.action, 0.0) * event.weight
    if worth != 0.0:
        best[event.document] = max(best.get(event.document, worth), worth)


def brought(rows: FeatureRows) -> dict[str, tuple[str, ...]]:
    """{document: generators that returned it} of the candidates whose features are logged."""
    ranks = {
        name.removesuffix(".rank"): column
        for column, name in enumerate(rows.names)
        if name.endswith(".rank")
    }
    there = ~np.isnan(rows.features)
    return {
        document: tuple(name for name, column in ranks.items() if there[n, column])
        for n, document in enumerate(rows.documents)
    }


def divided(
    weights: Mapping[str, float], sources: Mapping[str, tuple[str, ...]], names: Sequence[str]
) -> Floats:
    """Shape (s,): each generator's part of the weights, an item's divided among those that brought it."""
    parts = np.zeros(len(names))
    for document, weight in weights.items():
        by = [names.index(name) for name in sources.get(document, ()) if name in names]
        parts[by] += weight / max(len(by), 1)
    return parts


def rungs_of(depths: NDArray[np.int64], ladder: NDArray[np.int32]) -> NDArray[np.int64]:
    """Indices of the ladder; BadInput where a depth is not on it."""
    found = np.searchsorted(ladder, depths).clip(max=ladder.size - 1)
    off = ladder[found] != depths
    if off.any():
        raise BadInput(
            f"plan: found depth {depths[off].flat[0]}, expected one of {ladder.tolist()}. The log "
            "was probably made with another ladder"
        )
    return np.asarray(found, np.int64)


def distributions(state: State, queries: Sequence[Query]) -> list[PlanDistribution]:
    """Every plan that the state may play in each search, with its probability."""
    policy = state.policy
    if not isinstance(policy, LadderPolicy):
        raise BadInput(
            f"policy: {policy.name!r} does not tell its distribution over plans; expected a "
            "LadderPolicy, of which it can be asked how probable another plan was"
        )
    found = []
    for query in queries:
        facts, user = state.facts(query), query.context.user
        features, overlap = state.actions(facts, user)
        successes = state.statistics.successes(facts.kind)
        found.append(policy.distribution(facts.x, features, overlap, state.price, successes))
    return found


def evidences(served: Served, targets: Sequence[PlanDistribution]) -> list[Evidence]:
    """What the searches say of a policy that plays `targets`, one distribution a search.

    By the whole plan; then, where the log tells each generator's share of the reward, generator by
    generator. That needs far less of the log and takes a generator's share not to depend on what
    the others are asked. It does where two bring the same item: how much of the reward one alone
    brought goes along, and where that is too little the estimate is refused. With shares, a reward
    model is fitted on the searches (crossfitted) for dr and its kin.
    """
    model = _model(served)
    found = [of_plans(served.rungs, served.rewards, served.propensities, targets, estimates=model)]
    if served.shares is not None and served.marginals is not None:
        found.append(
            of_plans(
                served.rungs, served.shares, served.marginals, targets,
                estimates=model, split=_split(served.rewards, served.shares),
            )
        )  # fmt: skip
    return found


def _split(rewards: Floats, shares: Floats) -> float:
    """Share of the reward earned in searches where one generator alone brought it all."""
    total = float(np.abs(rewards).sum())
    alone = (np.abs(shares.sum(axis=1) - rewards) < 1e-9) & (np.count_nonzero(shares, axis=1) == 1)
    return float(np.abs(rewards[alone]).sum()) / total if total > 0.0 else 1.0


def _model(served: Served) -> Floats | None:
    """Shape (n, s, L): each rung's share of the reward, by ridge regression on the context."""
    if served.shares is None or len(served) < MODELLED:
        return None
    n = len(served)
    return np.stack(
        [
            crossfitted_rewards(
                Feedback(
                    n_actions=served.ladder.size,
                    actions=served.rungs[:, g],
                    rewards=served.shares[:, g],
                    propensities=np.ones(n),
                    positions=np.zeros(n, np.int64),
                    contexts=served.contexts,
                )
            )
            for g in range(len(served.generators))
        ],
        axis=1,
    )
