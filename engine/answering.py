"""The way of a search: plan, generators, union, features, scores. Reads a state, changes nothing."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.base import Choice
from engine.config import EngineConfig
from engine.query_features import QueryFacts
from engine.ranking_features import ranking_features
from engine.state import State
from retrievers.base import Context, Hits, Query, Turn
from retrievers.candidates import Candidates, union


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A search with everything that led to it.

    `order` (n,): indices into the candidates, best first; `scores` (n,) in candidate order.
    """

    query: Query
    facts: QueryFacts
    choice: Choice
    candidates: Candidates
    features: NDArray[np.float32]
    scores: NDArray[np.float32]
    order: NDArray[np.int64]
    timings: Mapping[str, float]
    notes: tuple[str, ...]


def context_to_json(context: Context) -> dict[str, Any]:
    """A context as JSON types; what is not given is left out."""
    data = dataclasses.asdict(context)
    data["time"] = None if context.time is None else context.time.isoformat()
    return {key: value for key, value in data.items() if value not in (None, (), {})}


def context_from_json(data: Mapping[str, Any]) -> Context:
    """The inverse of `context_to_json`."""
    turns = tuple(
        Turn(t["speaker"], t["text"], tuple(t.get("entities", ()))) for t in data.get("turns", ())
    )
    return Context(
        user=data.get("user"),
        turns=turns,
        time=datetime.fromisoformat(data["time"]) if data.get("time") else None,
        locale=data.get("locale"),
        filters={
            k: v if isinstance(v, str) else tuple(v) for k, v in data.get("filters", {}).items()
        },
        attributes=data.get("attributes", {}),
    )


def on_the_hour(seconds: float) -> datetime:
    """The hour of a clock reading: as fine as time enters an answer where the context has none, so
    that equal searches moments apart are equal."""
    return datetime.fromtimestamp(seconds - seconds % 3600.0, UTC)


def generator_of(seed: int, version: int, typed: str, given: Context) -> np.random.Generator:
    """The random source of one search: neither k, nor call order, nor threads enter."""
    key = json.dumps([seed, version, typed, context_to_json(given)], sort_keys=True)
    return np.random.default_rng(
        int.from_bytes(blake2b(key.encode(), digest_size=16).digest(), "little")
    )


def plan(state: State, facts: QueryFacts, user: str | None, rng: np.random.Generator) -> Choice:
    """What to ask of each generator, decided before any has run."""
    return state.policy.choose(
        facts.x,
        state.statistics.action_features(facts.kind, user, facts.key),
        state.statistics.overlap(facts.kind),
        state.price,
        rng,
    )


def answer(
    state: State,
    config: EngineConfig,
    query: Query,
    rng: np.random.Generator,
    choice: Choice | None = None,
) -> Answer:
    """Answer a query; `choice` overrides the policy's plan (for replay and explanations)."""
    started = time.perf_counter()
    timings: dict[str, float] = {}
    notes: list[str] = []

    def lap(name: str, since: float) -> float:
        now = time.perf_counter()
        timings[name] = (now - since) * 1000.0
        return now

    allowed = state.filters.mask(query.context.filters)
    facts = state.facts(query)
    if choice is None:
        choice = plan(state, facts, query.context.user, rng)
    now = lap("plan", started)
    hits: list[Hits] = []
    for (name, retriever), depth in zip(
        state.retrievers.items(), choice.depths.tolist(), strict=True
    ):
        found = Hits.none()
        if depth > 0:
            late = config.search_ms is not None and (now - started) * 1000.0 > config.search_ms
            if late:
                notes.append(
                    f"{name}: not asked, the search's {config.search_ms:g} ms were used up"
                )
            else:
                try:
                    found = retriever.retrieve(query, depth, allowed)
                except Exception as e:
                    notes.append(f"{name}: failed ({type(e).__name__}: {e})")
                now = lap(name, now)
        hits.append(found)
    made = assemble(state, query, facts, choice, hits)
    timings |= made.timings
    timings["total"] = (time.perf_counter() - started) * 1000.0
    return dataclasses.replace(made, timings=timings, notes=(*notes, *made.notes))


def assemble(
    state: State, query: Query, facts: QueryFacts, choice: Choice, hits: list[Hits]
) -> Answer:
    """The second half of a search: from the generators' hits to ranked candidates."""
    started = time.perf_counter()
    notes: list[str] = []
    candidates = union(tuple(state.retrievers), choice.depths.tolist(), hits)
    features = ranking_features(
        query, facts, candidates, state.retrievers, state.catalog, state.names
    )
    between = time.perf_counter()
    scores, ranker = _scores(state, features, notes)
    order = np.lexsort((candidates.docs, -scores))
    timings = {
        "features": (between - started) * 1000.0,
        ranker: (time.perf_counter() - between) * 1000.0,
    }
    return Answer(
        query=query, facts=facts, choice=choice, candidates=candidates, features=features,
        scores=scores, order=order, timings=timings, notes=tuple(notes),
    )  # fmt: skip


def _scores(
    state: State, features: NDArray[np.float32], notes: list[str]
) -> tuple[NDArray[np.float32], str]:
    """Scores, and the name of the ranker that gave them."""
    if features.shape[0] == 0:
        return np.empty(0, np.float32), (state.ranker or state.fusion).name
    if state.ranker is not None:
        try:
            return state.ranker.score(features), state.ranker.name
        except Exception as e:
            notes.append(f"ranker: failed, fusion ranked instead ({type(e).__name__}: {e})")
    return state.fusion.score(features), state.fusion.name
