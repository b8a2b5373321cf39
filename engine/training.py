"""From the log to a ranker: judged rows, position bias, the gate."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.config import EngineConfig
from engine.correcting import chosen, shown_rows, trained
from engine.influence import MOST, weights_of
from engine.log import Log
from engine.log_rows import EventRow, FeatureRows, SearchRow
from engine.positions import learnt_surfaces, surface_of, weights_of_documents
from engine.ranking_features import column_names
from engine.state import State
from engine.threads import each
from rankers.base import Judged, Ranker
from rankers.gate import Verdict, between, held_out, judge, scored
from rankers.propensity import Examination
from rankers.surfaces import Surfaces

FIRST = 30
"""Clicked impressions in the log below which no ranker is trained."""


@dataclass(frozen=True, slots=True, eq=False)
class _Clicked:
    user: str | None
    rows: FeatureRows
    labels: NDArray[np.float64]
    positions: NDArray[np.int32]


def clicked_impressions(
    log: Log,
    config: EngineConfig,
    names: tuple[str, ...],
    until: tuple[int, int],
    surfaces: Surfaces,
    *,
    after: int = 0,
    imported: bool = True,
) -> Judged:
    """The latest clicked impressions of the log, in order of time, and of as many before them those of queries that
    nobody had clicked after: once most searches are of known queries, a ranker would forget how to rank for others.

    A row's label is the largest weight of what was done with the document, at least 0 and at most
    `influence.MOST`; nobody's impressions weigh more than `influence` lets them. Positions are those of
    `Surfaces.places`, for its examination. Only searches
    beyond the seq `after` and, without `imported`, only those that the engine itself served.
    """
    wanted = [action for action, weight in config.rewards.items() if weight > 0]
    clicks_seen = names.index("query.clicks_seen")
    latest, kept = deque[_Clicked](), list[_Clicked]()
    for search, rows, events in log.judged(names, wanted, until, 2 * config.ranker_window, after):
        label = _labels(rows, events, config)
        if label.any() and (imported or not search.imported):
            page = surface_of(search.context.get("attributes", {}), config)
            positions = surfaces.places(page, _positions(search, rows, events))
            latest.append(_Clicked(search.user, rows, label, positions))
            if len(latest) > config.ranker_window:
                left = latest.popleft()
                if left.rows.features[0, clicks_seen] == 0.0:
                    kept.append(left)
    kept += latest
    liked = [[one.rows.documents[i] for i in np.flatnonzero(one.labels).tolist()] for one in kept]
    shares = weights_of([one.user for one in kept], liked).tolist()
    weights = [o.rows.weights.astype(np.float64) * s for o, s in zip(kept, shares, strict=True)]
    return Judged(
        np.concatenate([np.empty((0, len(names)), np.float32), *(o.rows.features for o in kept)]),
        np.concatenate([np.empty(0), *(one.labels for one in kept)]),
        np.concatenate([np.empty(0), *weights]),
        np.concatenate([np.empty(0, np.int32), *(one.positions for one in kept)]),
        np.cumsum([0, *(one.labels.size for one in kept)], dtype=np.int64),
    )


def _labels(rows: FeatureRows, events: list[EventRow], config: EngineConfig) -> NDArray[np.float64]:
    best = weights_of_documents(events, config)
    return np.array([min(best.get(document, 0.0), MOST) for document in rows.documents])


def _positions(search: SearchRow, rows: FeatureRows, events: list[EventRow]) -> NDArray[np.int32]:
    """1 = top, 0 = not shown or unknown."""
    shown = {event.document: event.position for event in events if event.position is not None}
    shown.update({document: place for place, document in enumerate(search.shown, start=1)})
    return np.array([shown.get(document, 0) for document in rows.documents], np.int32)


def _verdict(
    state: State, ranker: Ranker, judged: Judged, first_held: int, examination: Examination
) -> Verdict:
    held = shown_rows(between(judged, first_held, judged.queries))
    return judge(
        held,
        scored(state.gated or state.fusion, held),
        scored(ranker, held),
        examination,
        first=state.gated is None,
    )


def train(
    state: State, log: Log, config: EngineConfig, until: tuple[int, int], threads: int = 1
) -> tuple[State, str]:
    """A state with the ranker and the position bias learnt from the log, and what the gate said.

    A ranker is trained on all but the last fifth of the impressions and compared on that fifth,
    which it has not seen, with the one trained likewise on a shorter log when the ranker in use
    passed. Where a curve of position bias is given, the new ranker must pass by the log's own curve as
    well. What searches get is trained with the same settings on all impressions: the latest say
    most of what comes next.
    """
    if not config.ranker_window:
        return state, "no ranker trained: EngineConfig.ranker_window is 0"
    names = column_names(state.retrievers)
    surfaces = learnt_surfaces(log, config, names, until, state.surfaces)
    state, examination = replace(state, surfaces=surfaces), surfaces.examination
    judged = clicked_impressions(log, config, names, until, surfaces)
    if judged.queries < FIRST:
        return state, f"no ranker trained: {judged.queries} clicked impressions, {FIRST} needed"
    first_held = held_out(judged.starts)
    before = between(judged, 0, first_held)
    correction = chosen(config, names, before, examination)
    # With a thread to spare, the ranker of all impressions needn't wait for the verdict.
    parts = (before, judged) if threads > 1 else (before,)
    ranker, *whole = each(
        lambda part: trained(config, names, part, examination, correction), parts, threads
    )
    if not ranker.fitted:
        return state, "no ranker trained: the clicked impressions order nothing"
    verdict = _verdict(state, ranker, judged, first_held, examination)
    if verdict.promote and config.examination:
        # A given curve that is wrong misleads training and gate alike; the log has a say of its own.
        blind = replace(config, examination={})
        found = learnt_surfaces(log, blind, names, until, Surfaces.assumed())
        again = clicked_impressions(log, config, names, until, found)
        verdict = _verdict(state, ranker, again, first_held, found.examination)
    if not verdict.promote:
        return state, verdict.reason
    served = whole[0] if whole else trained(config, names, judged, examination, correction)
    return replace(state, ranker=served, gated=ranker), verdict.reason
