"""Why a search came out as it did, and why an item is not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.answering import Answer, answered
from engine.checks import check_context, check_k, check_query
from engine.config import EngineConfig
from engine.hindsight import clicked_ranks
from engine.ranking_features import column_names
from engine.response import Explanation, PlanStep
from engine.state import State
from rankers.lambdamart import LambdaMART
from retrievers.base import Context

SHOWN_FEATURES = 6
"""Features named for a hit: those that moved its score most."""
REACH = 1_000
"""How deep generators are asked to find out where a missing item stands."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why an item is not among the first k.

    `ranks`: per generator the item's rank from 1, None where it is not among the first `REACH`;
    `depths`: what was asked of each; `rank`: its final rank from 1 where it was a candidate;
    `against`: what decided against it, features with their contribution to its score less that to
    the score of the last item shown, most harmful first.
    """

    item: str
    reason: Literal["shown", "unknown", "filtered", "not_found", "cut", "pruned", "outranked"]
    message: str
    ranks: Mapping[str, int | None]
    depths: Mapping[str, int]
    rank: int | None
    against: Mapping[str, float]


def explanation(state: State, made: Answer, shown: NDArray[np.int64]) -> Explanation:
    """The plan and, where a learnt ranker ranked, what moved each shown item's score."""
    steps = tuple(
        PlanStep(
            generator=name,
            depth=int(made.choice.depths[g]),
            gain=float(made.choice.gains[g]),
            bonus=float(made.choice.bonuses[g]),
            propensity=float(made.choice.marginals[g]),
            found=int((made.drawn.ranks[:, g] >= 0).sum()),
            ms=float(made.timings.get(name, 0.0)),
        )
        for g, name in enumerate(state.retrievers)
    )
    contributions: dict[str, Mapping[str, float]] = {}
    if isinstance(state.ranker, LambdaMART) and shown.size:
        parts = state.ranker.contributions(made.features[shown])[:, :-1]
        for index, part in zip(shown.tolist(), parts, strict=True):
            contributions[state.catalog.id(int(made.candidates.docs[index]))] = _largest(
                state, part, np.argsort(-np.abs(part), kind="stable")
            )
    return Explanation(
        kind=made.facts.kind,
        ranker=(state.ranker or state.fusion).name,
        price=state.price,
        propensity=made.choice.propensity,
        steps=steps,
        contributions=contributions,
        meanings=made.meanings,
        dropped=len(made.drawn) - len(made.candidates),
    )


def _largest(state: State, part: NDArray[np.float64], order: NDArray[np.int64]) -> dict[str, float]:
    names = column_names(state.retrievers)
    return {names[i]: float(part[i]) for i in order[:SHOWN_FEATURES].tolist() if part[i] != 0.0}


def why_not(
    state: State, config: EngineConfig, item: str, query: str, context: Context | None, k: int
) -> Missing:
    """As `why_missing`, of a query as somebody types it; what cannot be searched is refused."""
    text = check_query(query, config)
    given = check_context(Context() if context is None else context)
    made = answered(state, config, text, given, config.clock())
    return why_missing(state, made, item, check_k(k, config))


def why_missing(state: State, made: Answer, item: str, k: int) -> Missing:
    """The first reason that applies, on the way a search goes."""
    depths = dict(zip(state.retrievers, made.choice.depths.tolist(), strict=True))

    def missing(
        reason: Literal["shown", "unknown", "filtered", "not_found", "cut", "pruned", "outranked"],
        message: str,
        ranks: Mapping[str, int | None] | None = None,
        rank: int | None = None,
        against: Mapping[str, float] | None = None,
    ) -> Missing:
        return Missing(item, reason, message, ranks or {}, depths, rank, against or {})

    row = state.catalog.row(item)
    if row is None:
        return missing("unknown", f"no document has the id {item!r}, or it was removed")
    allowed = state.filters.mask(made.query.context.filters)
    if allowed is not None and not allowed[row]:
        filters = ", ".join(
            f"{field}={value if isinstance(value, str) else ' or '.join(value)}"
            for field, value in made.query.context.filters.items()
        )
        return missing("filtered", f"the filters exclude it: {filters}")
    hits = [r.retrieve(made.query, REACH, allowed) for r in state.retrievers.values()]
    found = clicked_ranks(hits, np.array([row], np.int32))[0].tolist()
    ranks = {
        name: None if rank < 0 else rank + 1
        for name, rank in zip(state.retrievers, found, strict=True)
    }
    place = np.flatnonzero(made.candidates.docs[made.order] == row)
    if place.size:
        rank = int(place[0]) + 1
        if rank <= k:
            return missing("shown", f"it is there, at rank {rank}", ranks, rank)
        return missing(
            "outranked", f"it was a candidate, but {rank - 1} others scored higher", ranks, rank,
            _against(state, made, int(made.order[rank - 1]), int(made.order[k - 1])),
        )  # fmt: skip
    if all(rank is None for rank in ranks.values()):
        return missing(
            "not_found", f"no generator has it among its first {REACH:,} for this query", ranks
        )
    cut = ", ".join(
        f"{name} has it at rank {rank} and was asked for {depths[name]}"
        for name, rank in ranks.items()
        if rank is not None
    )
    if row in made.drawn.docs:
        return missing(
            "pruned",
            f"drawn, but less probably wanted than the {len(made.candidates)} that were ranked: {cut}",
            ranks,
        )
    return missing("cut", f"cut by depth: {cut}", ranks)


def _against(state: State, made: Answer, item: int, last: int) -> dict[str, float]:
    if not isinstance(state.ranker, LambdaMART):
        return {}
    mine, theirs = state.ranker.contributions(made.features[[item, last]])[:, :-1]
    return _largest(state, mine - theirs, np.argsort(mine - theirs, kind="stable"))
