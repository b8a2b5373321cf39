"""Logs of plans for `ltrr evaluate-policy`: an index's own, or UBI with propensities."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.engine_log import EngineLog
from benchmarks.plan_log import read_plan_log
from engine.answering import context_from_json, on_the_hour
from engine.chunks import Searched
from engine.config import REWARDS
from engine.counterfactual import Served, draws_of, rungs_of
from engine.errors import BadEvent, BadInput
from engine.formats import EVENTS, QUERIES, find, read_events, read_searches
from engine.log_rows import PICK_SEARCHES, search_row
from engine.looking_back import query_of
from engine.response import LoggedSearch
from retrievers.base import Query

Kept = tuple[LoggedSearch, dict[str, int], float]
"""A search, its plan, the probability of that."""
OF_ITS_OWN = "SELECT 1 FROM searches WHERE imported = 0 AND propensity IS NOT NULL LIMIT 1"
IMPORTED = "imported"
WITHOUT_PROPENSITY = "without a propensity"
LEARNT = "learnt by the target"


@dataclass(frozen=True, slots=True, eq=False)
class LoggedPlans:
    """What a log says of plans: `served`, the id of each search, and how many searches were left out,
    by reason."""

    served: Served
    impressions: tuple[str, ...]
    left_out: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def without(self, learnt: Set[str]) -> LoggedPlans:
        """The searches whose id is not among `learnt`."""
        rows = np.array([n for n, id in enumerate(self.impressions) if id not in learnt], np.int64)
        if rows.size == len(self.impressions):
            return self
        return replace(
            self,
            served=_at(self.served, rows),
            impressions=tuple(self.impressions[n] for n in rows.tolist()),
            left_out={**self.left_out, LEARNT: len(self.impressions) - rows.size},
        )


def _at(served: Served, rows: NDArray[np.int64]) -> Served:
    return replace(
        served,
        queries=[served.queries[n] for n in rows.tolist()],
        draws=served.draws[rows],
        contexts=served.contexts[rows],
        rungs=served.rungs[rows],
        propensities=served.propensities[rows],
        marginals=None if served.marginals is None else served.marginals[rows],
        rewards=served.rewards[rows],
        shares=None if served.shares is None else served.shares[rows],
    )


def laid_out(served: Served, generators: tuple[str, ...], ladder: NDArray[np.int32]) -> Served:
    """The same searches over the given generators and ladder, which must hold all that was asked."""
    if served.generators == generators and np.array_equal(served.ladder, ladder):
        return served
    strange = [name for name in served.generators if name not in generators]
    if strange:
        raise BadInput(
            f"--target: knows the generators {list(generators)}; the log has {strange[0]!r} too"
        )
    depths = served.ladder[served.rungs].astype(np.int64)
    place = [generators.index(name) for name in served.generators]
    wide = np.zeros((len(served), len(generators)), np.int64)
    wide[:, place] = depths
    marginals, shares = served.marginals, served.shares
    if marginals is not None and shares is not None:
        marginals, shares = np.ones(wide.shape), np.zeros(wide.shape)
        marginals[:, place], shares[:, place] = served.marginals, served.shares
    return replace(
        served,
        generators=generators,
        ladder=ladder,
        rungs=rungs_of(wide, ladder),
        marginals=marginals,
        shares=shares,
    )


def read_index(folder: Path) -> LoggedPlans:
    """What an index itself served; it may be in use meanwhile. Imported searches are left out."""
    with EngineLog(folder) as log:
        config = log.config()
        if log.db.execute(OF_ITS_OWN).fetchone() is None:
            raise BadInput(
                f"{folder}: has answered no search itself; imported searches do not say how probable "
                "their plan was, so nothing can be told of another"
            )
        plans = read_plan_log(log, config.rewards)
        found = log.db.execute(PICK_SEARCHES + "WHERE imported = 0")
        rows = {row.impression: row for row in map(search_row, found)}
        total = log.search_count
        there = int(log.db.execute("SELECT SUM(imported) FROM searches").fetchone()[0] or 0)
    place = {name: g for g, name in enumerate(plans.generators)}
    unknown = sorted(place.keys() - set(config.generators))
    if unknown:
        raise BadInput(f"{folder}: its log asked {unknown}, which the index does not have")
    n, s = len(plans), len(config.generators)
    depths, marginals, shares = np.zeros((n, s), np.int64), np.ones((n, s)), np.zeros((n, s))
    for g, name in enumerate(config.generators):
        if name in place:
            depths[:, g] = plans.depths[:, place[name]]
            marginals[:, g] = plans.marginals[:, place[name]]
            shares[:, g] = plans.shares[:, place[name]]
    ladder = np.array(config.ladder, np.int32)
    impressions = tuple(plans.impressions.tolist())
    searches = [rows[id] for id in impressions]
    served = Served(
        generators=config.generators,
        ladder=ladder,
        queries=[query_of(Searched(row, [], late=False)) for row in searches],
        draws=draws_of(searches),
        contexts=plans.contexts,
        rungs=rungs_of(depths, ladder),
        propensities=plans.propensities,
        marginals=marginals,
        rewards=plans.rewards,
        shares=shares,
    )
    left_out = {IMPORTED: there, WITHOUT_PROPENSITY: total - there - n}
    return LoggedPlans(served, impressions, {k: v for k, v in left_out.items() if v})


def read_ubi(folder: Path) -> LoggedPlans:
    """The searches of a UBI log whose `query_attributes.policy` tells depths and propensity.

    Rewards are those of `EngineConfig`. The log does not say which generator brought an item, so
    that nothing can be told generator by generator; and the ladder is known as far as it was tried.
    """
    best = _acted(folder)
    left_out: Counter[str] = Counter()
    kept: list[Kept] = []
    path = find(folder, QUERIES)
    for search in read_searches(path):
        policy = search.attributes.get("policy")
        if not isinstance(policy, dict) or policy.get("propensity") is None:
            left_out[WITHOUT_PROPENSITY] += 1
            continue
        kept.append((search, *_played(path, search.id, policy)))
    if not kept:
        raise BadEvent(
            f"{path}: found no search with a propensity, expected query_attributes.policy = "
            '{"id", "depths", "propensity"}. Without it no counterfactual estimate is possible'
        )
    kept.sort(key=lambda one: one[0].time)
    generators = tuple(dict.fromkeys(name for _, plan, _ in kept for name in plan))
    depths = np.array([[plan.get(g, 0) for g in generators] for _, plan, _ in kept], np.int64)
    ladder = np.unique(np.append(depths, 0)).astype(np.int32)
    if ladder.size < 2:
        raise BadEvent(f"{path}: no plan asks any generator; there is nothing to compare")
    served = Served(
        generators=generators,
        ladder=ladder,
        queries=[_query(search) for search, _, _ in kept],
        draws=_draws(kept),
        contexts=np.zeros((len(kept), 0)),
        rungs=rungs_of(depths, ladder),
        propensities=np.array([propensity for _, _, propensity in kept]),
        marginals=None,
        rewards=np.array([sum(best.get(search.id, {}).values()) for search, _, _ in kept]),
        shares=None,
    )
    notes = (
        f"The depths known of this log are those it tried: {', '.join(map(str, ladder.tolist()))}.",
        "It does not say which generator brought an item, so plans are weighed as a whole.",
    )
    return LoggedPlans(served, tuple(s.id for s, _, _ in kept), dict(left_out), notes)


def _acted(folder: Path) -> dict[str, dict[str, float]]:
    """{search: {document: reward}}, each document once with its largest."""
    best: dict[str, dict[str, float]] = {}
    for event in read_events(find(folder, EVENTS)):
        worth = REWARDS.get(event.action, 0.0) * event.weight
        if event.search is not None and worth != 0.0:
            of = best.setdefault(event.search, {})
            of[event.document] = max(of.get(event.document, worth), worth)
    return best


def _played(path: Path, id: str, policy: Mapping[str, Any]) -> tuple[dict[str, int], float]:
    depths, propensity = policy.get("depths"), policy["propensity"]
    if not isinstance(depths, dict) or not all(
        isinstance(depth, int) and depth >= 0 for depth in depths.values()
    ):
        raise BadEvent(
            f"{path}: search {id!r} has depths {depths!r} in query_attributes.policy, expected whole "
            "numbers by generator, at least 0"
        )
    if not isinstance(propensity, int | float) or not 0.0 < propensity <= 1.0:
        raise BadEvent(
            f"{path}: search {id!r} has propensity {propensity!r}, expected a probability in (0, 1]"
        )
    return depths, float(propensity)


def _draws(kept: Sequence[Kept]) -> NDArray[np.int64]:
    """Which draw decided each plan: searches that are equal in all that is logged may share one."""
    known: dict[str, int] = {}
    keys = (
        json.dumps([search.query, search.user, search.attributes], sort_keys=True)
        for search, _, _ in kept
    )
    return np.array([known.setdefault(key, len(known)) for key in keys], np.int64)


def _query(search: LoggedSearch) -> Query:
    """The query as it was asked; UBI has one time, taken by the hour as the engine takes its clock."""
    own = ("context", "interleaving", "policy", "rewritten")
    context = context_from_json(
        {
            **search.attributes.get("context", {}),
            "user": search.user,
            "attributes": {k: v for k, v in search.attributes.items() if k not in own},
        }
    )
    return Query(
        text=search.attributes.get("rewritten", search.query),
        context=replace(context, time=on_the_hour(search.time.timestamp())),
        typed=search.query,
    )


def impressions_until(folder: Path, seq: int) -> Iterator[str]:
    """Ids of the searches of an index up to a row of its log."""
    with EngineLog(folder) as log:
        for (id,) in log.db.execute("SELECT impression FROM searches WHERE seq <= ?", (seq,)):
            yield str(id)
