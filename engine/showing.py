"""From an answer to a response, and into the log: what was shown, and what it was shown from."""

from __future__ import annotations

import math
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.answering import Answer, answered, context_to_json, generator_of
from engine.checks import check_context, check_k, check_query
from engine.config import EngineConfig
from engine.errors import BadInput
from engine.explaining import explanation
from engine.in_force import Serving
from engine.interleaving import Page, Place, page_of
from engine.log import Log
from engine.log_rows import FeatureRows, Served
from engine.positions import surface_of
from engine.ranking_features import column_names
from engine.response import Hit, Response, SourceHit
from engine.state import State
from engine.threads import each
from engine.understanding import TYPED
from rankers.exploration import swapped
from retrievers.base import Context


def new_impression() -> str:
    """An id that cannot be guessed: 128 random bits."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as `checked` lets it through."""

    text: str
    given: Context
    k: int
    explain: bool


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A response and what it comes from. `explored`: how its order was, see `explore`."""

    response: Response
    made: Answer
    page: Page
    explored: dict[str, Any] | None
    time: float


def checked(
    query: str, context: Context | None, k: int, config: EngineConfig, explain: bool = False
) -> Asked:
    """What is asked for; BadInput where it cannot be searched."""
    text, k = check_query(query, config), check_k(k, config)
    return Asked(text, check_context(Context() if context is None else context), k, explain)


def searched(serving: Serving, config: EngineConfig, asked: Asked, impression: str) -> Shown:
    """The answer under `impression`; nothing is logged."""
    state, challenger = serving.state, serving.challenger
    given, now = asked.given, config.clock()
    made = answered(state, config, asked.text, given, now)
    explored = None
    if config.exploration and challenger is None:
        made, explored = explore(state, config, made, given)
    page = page_of(state, made, config, given, now, asked.k, challenger)
    shared = page.interleaving is not None
    choice = made.choice
    response = Response(
        query=made.query,
        hits=tuple(_hit(state, place, rank) for rank, place in enumerate(page.places, 1)),
        impression_id=impression,
        plan=dict(zip(state.retrievers, choice.depths.tolist(), strict=True)),
        propensity=math.nan if shared else choice.propensity,
        candidates=made.order.size,
        timings=page.timings,
        notes=page.notes,
        explanation=explanation(state, made, page.first) if asked.explain else None,
        challenger=challenger.snapshot if challenger is not None and shared else None,
    )
    time = now if given.time is None else given.time.timestamp()
    return Shown(response, made, page, explored, time)


def logged(
    serving: Serving,
    config: EngineConfig,
    log: Log,
    asked: Sequence[tuple[Asked, str]],
    threads: int = 1,
) -> list[Response]:
    """The answers under their impressions, logged all or none; BadInput where the log has one already."""

    def answer(one: tuple[Asked, str]) -> tuple[Response, Served]:
        shown = searched(serving, config, *one)
        return shown.response, _served(serving.state, config, shown, one[0].given)

    made = each(answer, asked, threads)
    served = [row for _, row in made]
    try:
        log.add_searches(served)
    except sqlite3.IntegrityError as e:
        known = next(row.impression for row in served if log.search(row.impression) is not None)
        raise BadInput(
            f"impression_id: {known!r} is in the log already; every search needs one of its own"
        ) from e
    return [response for response, _ in made]


def _served(state: State, config: EngineConfig, shown: Shown, given: Context) -> Served:
    made, page, names = shown.made, shown.page, tuple(state.retrievers)
    choice = made.choice
    rng = generator_of(config.seed + 1, state.version, made.query.typed, given)
    return Served(
        impression=shown.response.impression_id,
        time=shown.time,
        user=given.user,
        typed=made.query.typed,
        text=made.query.text,
        context=context_to_json(given),
        policy=state.policy.name,
        plan={
            name: (int(depth), float(marginal))
            for name, depth, marginal in zip(names, choice.depths, choice.marginals, strict=True)
        },
        propensity=None if page.interleaving is not None else choice.propensity,
        version=state.version,
        candidates=made.order.size,
        shown=[hit.id for hit in shown.response.hits],
        x=made.facts.x,
        rows=feature_rows(
            state, column_names(state.retrievers), made, page.first, config.rest_sample, rng
        ),
        interleaving=page.interleaving,
        exploration=shown.explored,
    )


def explore(
    state: State, config: EngineConfig, made: Answer, given: Context
) -> tuple[Answer, dict[str, Any]]:
    """The answer with its order explored, and what the log keeps of it.

    {"propensity": of the order given the ranked one, "swap": the two places, from 1, that changed
    items, or null, "loss": as configured}. Equal searches share a draw, whatever k is.
    """
    rng = generator_of(config.seed + 2, state.version, made.query.typed, given)
    looked = state.surfaces.of(surface_of(given.attributes, config)).examination
    found = swapped(made.order, looked, config.exploration, rng)
    swap = None if found.swap is None else [place + 1 for place in found.swap]
    kept = {"propensity": found.propensity, "swap": swap, "loss": config.exploration}
    return replace(made, order=found.order), kept


def _hit(state: State, place: Place, rank: int) -> Hit:
    candidates, index = place.answer.candidates, place.index
    row = int(candidates.docs[index])
    found = np.flatnonzero(candidates.ranks[index] >= 0).tolist()
    return Hit(
        id=state.catalog.id(row),
        score=float(place.answer.scores[index]),
        rank=rank,
        document=state.catalog[row],
        sources=dict(_source(place.answer, index, g) for g in found),
        team=place.team,
    )


def _source(answer: Answer, index: int, g: int) -> tuple[str, SourceHit]:
    """Where a generator has a candidate; beside a rewritten query it may have it for the typed one."""
    candidates, own = answer.candidates, int(answer.own[g])
    rank, name = int(candidates.ranks[index, g]), candidates.sources[g]
    if rank >= own:
        rank, name = rank - own, TYPED + name
    return name, SourceHit(rank=rank + 1, score=float(candidates.scores[index, g]))


def feature_rows(
    state: State,
    names: tuple[str, ...],
    answer: Answer,
    first: NDArray[np.int64],
    rest_sample: int,
    rng: np.random.Generator,
) -> FeatureRows:
    """The candidates `first`, then a uniform sample of the rest, each standing for its share."""
    is_rest = np.ones(answer.candidates.docs.size, bool)
    is_rest[first] = False
    rest = np.flatnonzero(is_rest)
    drawn = np.sort(rng.permutation(rest)[:rest_sample])
    picked = np.concatenate([first, drawn]).astype(np.int64)
    weights = np.ones(picked.size, np.float32)
    if drawn.size:
        weights[first.size :] = rest.size / drawn.size
    return FeatureRows(
        names=names,
        documents=tuple(state.catalog.id(row) for row in answer.candidates.docs[picked].tolist()),
        weights=weights,
        features=answer.features[picked],
    )
