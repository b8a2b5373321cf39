"""The way of a search: plan, generators, union, features, scores. Reads a state, changes nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandit.base import Choice
from engine.age_order import FIRST, asking_first, in_full, put_first
from engine.config import EngineConfig
from engine.gathering import appended, gather
from engine.meanings import DEEPER, diversified, meanings_of, open_to_meanings
from engine.pruning import passed
from engine.query_features import QueryFacts
from engine.ranking_features import ranking_features
from engine.state import State
from engine.understanding import TYPED_DEPTH, heeds_words, read, rewritten, typed_alone
from retrievers.base import Context, Docs, Hits, Query, Turn
from retrievers.candidates import Candidates, union
from retrievers.memory import Memory
from retrievers.structured import Structured


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A search with everything that led to it.

    `order` (n,): indices into the candidates, best first; `scores` (n,) in candidate order. `own` (s,):
    how many hits of each generator are for the query's text; those behind are for the typed one. `drawn`:
    the candidates and what was dropped before the ranker.
    `meanings`: what an ambiguous query may mean, with shares, where the first page serves them all.
    """

    query: Query
    facts: QueryFacts
    choice: Choice
    candidates: Candidates
    features: NDArray[np.float32]
    scores: NDArray[np.float32]
    order: NDArray[np.int64]
    own: NDArray[np.int64]
    drawn: Candidates
    timings: Mapping[str, float]
    notes: tuple[str, ...]
    meanings: Mapping[str, float] = field(default_factory=dict)


def context_to_json(context: Context) -> dict[str, Any]:
    """A context as JSON types; what is not given is left out."""
    data: dict[str, Any] = {
        "user": context.user,
        "turns": tuple(
            {"speaker": turn.speaker, "text": turn.text, "entities": turn.entities}
            for turn in context.turns
        ),
        "time": None if context.time is None else context.time.isoformat(),
        "locale": context.locale,
        "filters": dict(context.filters),
        "attributes": dict(context.attributes),
    }
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


def generator_of(
    seed: int, version: int | tuple[int, int], typed: str, given: Context
) -> np.random.Generator:
    """The random source of one search: neither k, nor call order, nor threads enter.

    `version`: of the state that answers, or of both that share a page.
    """
    key = json.dumps([seed, version, typed, context_to_json(given)], sort_keys=True)
    return np.random.default_rng(
        int.from_bytes(blake2b(key.encode(), digest_size=16).digest(), "little")
    )


def plan(state: State, facts: QueryFacts, user: str | None, rng: np.random.Generator) -> Choice:
    """What to ask of each generator, decided before any has run."""
    successes = state.statistics.successes(facts.kind)
    return state.policy.choose(facts.x, *state.actions(facts, user), state.price, rng, successes)


def answered(state: State, config: EngineConfig, text: str, given: Context, now: float) -> Answer:
    """The answer of a state to what somebody types; `given` is the context as it came."""
    time = on_the_hour(now) if given.time is None else given.time
    query = Query(text=text, context=replace(given, time=time), typed=text)
    notes: list[str] = []
    timings: dict[str, float] = {}
    query = rewritten(state, config, query, notes, timings)
    made = answer(state, config, query, generator_of(config.seed, state.version, text, given))
    timings |= made.timings
    timings["total"] += timings.get("rewriting", 0.0)
    return replace(made, timings=timings, notes=(*notes, *made.notes))


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

    def lap(name: str, since: float) -> None:
        timings[name] = timings.get(name, 0.0) + (time.perf_counter() - since) * 1000.0

    query = read(state, query, notes, timings)
    allowed = state.filters.mask(query.context.filters)
    facts = state.facts(query)
    if choice is None:
        choice = plan(state, facts, query.context.user, rng)
    timings["plan"] = (time.perf_counter() - started) * 1000.0 - timings.get("readings", 0.0)

    def ask(g: int, depth: int, query: Query = query) -> Hits:
        name, retriever = asked[g]
        since = time.perf_counter()
        if config.search_ms is not None and (since - started) * 1000.0 > config.search_ms:
            notes.append(f"{name}: not asked, the search's {config.search_ms:g} ms were used up")
            return Hits.none()
        try:
            return retriever.retrieve(query, depth, allowed)
        except Exception as e:
            notes.append(f"{name}: failed ({type(e).__name__}: {e})")
            return Hits.none()
        finally:
            lap(name, since)

    asked = list(state.retrievers.items())
    hits = gather(ask, choice.depths, config.at_least)
    first = asking_first(query, named=facts.named.size > 0)
    leading = Hits.none()
    if first is not None:
        g, structured = next((i, r) for i, (_, r) in enumerate(asked) if isinstance(r, Structured))
        leading = in_full(ask(g, FIRST, first), first)
        hits[g] = appended(hits[g], leading)
    own = np.array([len(h) for h in hits])
    typed = typed_alone(query)
    if typed is not None:
        depths = np.minimum(choice.depths, TYPED_DEPTH).tolist()
        for g, ((_, retriever), depth) in enumerate(zip(asked, depths, strict=True)):
            if depth > 0 and heeds_words(retriever):
                hits[g] = appended(hits[g], ask(g, depth, typed))
    made = replace(
        assemble(state, query, facts, choice, hits, config.at_least, leading.docs), own=own
    )
    if first is not None and len(leading):
        order = put_first(made.order, made.candidates.docs, leading.docs, first, structured)
        made = replace(made, order=order)
    # Who was understood from a conversation, or asks for an order or years, has said what is meant.
    elif typed is None and open_to_meanings(state, config, facts, query.context.user):
        made = _diversified(state, config, made, hits, ask)
    timings |= made.timings
    timings["total"] = (time.perf_counter() - started) * 1000.0
    return replace(made, timings=timings, notes=tuple(dict.fromkeys((*notes, *made.notes))))


def _diversified(
    state: State,
    config: EngineConfig,
    made: Answer,
    hits: list[Hits],
    ask: Callable[[int, int], Hits],
) -> Answer:
    """The answer with a first page for all that an ambiguous query may mean.

    Memory is asked for more, wherever the plan stopped: what others clicked after such a search are
    its meanings. As with `gather`, plan and propensity are untouched.
    """
    since = time.perf_counter()
    docs = made.candidates.docs
    found = meanings_of(state, docs, made.scores, made.features, made.order)
    if not found.ambiguous:
        return made
    deeper = {
        g: ask(g, DEEPER)
        for g, retriever in enumerate(state.retrievers.values())
        if isinstance(retriever, Memory) and len(hits[g]) < DEEPER
    }
    if any(len(more) > len(hits[g]) for g, more in deeper.items()):
        wider = [deeper.get(g, hit) for g, hit in enumerate(hits)]
        also = np.concatenate([made.candidates.docs, *(more.docs for more in deeper.values())])
        made = assemble(state, made.query, made.facts, made.choice, wider, config.at_least, also)
        found = meanings_of(state, made.candidates.docs, made.scores, made.features, made.order)
    if found.ambiguous:
        order = diversified(found, config.diversity, made.scores, made.order)
        made = replace(made, order=order, meanings=found.told())
    spent = (time.perf_counter() - since) * 1000.0
    return replace(made, timings={**made.timings, "meanings": spent})


def assemble(
    state: State,
    query: Query,
    facts: QueryFacts,
    choice: Choice,
    hits: list[Hits],
    least: int | None = None,
    also: Docs | None = None,
) -> Answer:
    """The second half of a search: from the generators' hits to ranked candidates.

    `least`: candidates that pruning leaves in any case, beside those of `also`; None: all that was drawn
    is ranked.
    """
    started = time.perf_counter()
    notes: list[str] = []
    depths = [max(depth, len(h)) for depth, h in zip(choice.depths.tolist(), hits, strict=True)]
    drawn = union(tuple(state.retrievers), depths, hits)
    candidates = drawn if least is None else passed(state, facts, drawn, least, also)
    pruned = time.perf_counter()
    features = ranking_features(
        query, facts, candidates, state.retrievers, state.catalog, state.names, notes
    )
    between = time.perf_counter()
    scores, ranker = _scores(state, features, notes)
    order = np.lexsort((candidates.docs, -scores))
    timings = {
        "pruning": (pruned - started) * 1000.0,
        "features": (between - pruned) * 1000.0,
        ranker: (time.perf_counter() - between) * 1000.0,
    }
    return Answer(
        query=query, facts=facts, choice=choice, candidates=candidates, features=features,
        scores=scores, order=order, own=np.array([len(h) for h in hits]), drawn=drawn,
        timings=timings, notes=tuple(notes),
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
