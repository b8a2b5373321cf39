"""From the log to a ranker: judged rows, position bias, the gate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.config import EngineConfig
from engine.log import Log
from engine.log_rows import EventRow, FeatureRows, SearchRow
from engine.parts import make_ranker
from engine.ranking_features import column_names
from engine.state import State
from rankers.base import Judged
from rankers.gate import between, held_out, judge, scored
from rankers.harvesting import harvest
from retrievers.analysis import normalise

FIRST = 30
"""Clicked impressions in the log below which no ranker is trained."""


@dataclass(frozen=True, slots=True, eq=False)
class Clicked:
    """Clicked impressions of the log: `judged`, and `pairs` (n,), the identity of each row's
    (query, document), by which the same pair is known again at another position."""

    judged: Judged
    pairs: NDArray[np.int64]


def clicked_impressions(
    log: Log, config: EngineConfig, names: tuple[str, ...], until: tuple[int, int]
) -> Clicked:
    """The latest clicked impressions of the log, in order of time.

    A row's label is the largest weight of what was done with the document, at least 0.
    """
    wanted = [action for action, weight in config.rewards.items() if weight > 0]
    features, labels = [np.empty((0, len(names)), np.float32)], [np.empty(0)]
    weights, positions = [np.empty(0)], [np.empty(0, np.int32)]
    known: dict[tuple[str, str], int] = {}
    pairs: list[int] = []
    sizes = [0]
    for search, rows, events in log.judged(names, wanted, until, config.ranker_window):
        label = _labels(rows, events, config)
        if label.any():
            features.append(rows.features)
            labels.append(label)
            weights.append(rows.weights.astype(np.float64))
            positions.append(_positions(search, rows, events))
            text = normalise(search.text)
            pairs += [known.setdefault((text, d), len(known)) for d in rows.documents]
            sizes.append(label.size)
    judged = Judged(
        np.concatenate(features),
        np.concatenate(labels),
        np.concatenate(weights),
        np.concatenate(positions),
        np.cumsum(sizes, dtype=np.int64),
    )
    return Clicked(judged, np.array(pairs, np.int64))


def _labels(rows: FeatureRows, events: list[EventRow], config: EngineConfig) -> NDArray[np.float64]:
    best: dict[str, float] = {}
    for event in events:
        weight = config.rewards.get(event.action, 0.0) * event.weight
        best[event.document] = max(best.get(event.document, 0.0), weight)
    return np.array([best.get(document, 0.0) for document in rows.documents])


def _positions(search: SearchRow, rows: FeatureRows, events: list[EventRow]) -> NDArray[np.int32]:
    """1 = top, 0 = not shown or unknown."""
    shown = {event.document: event.position for event in events if event.position is not None}
    shown.update({document: place for place, document in enumerate(search.shown, start=1)})
    return np.array([shown.get(document, 0) for document in rows.documents], np.int32)


def train(
    state: State, log: Log, config: EngineConfig, until: tuple[int, int]
) -> tuple[State, str]:
    """A state with the ranker and the position bias learnt from the log, and what the gate said.

    The ranker is trained on all but the last fifth of the impressions and compared with the
    one in use on that fifth, which neither has seen: the one in use was trained on all but the last
    fifth of a shorter log.
    """
    names = column_names(state.retrievers)
    clicked = clicked_impressions(log, config, names, until)
    judged = clicked.judged
    if judged.queries < FIRST:
        return state, f"no ranker trained: {judged.queries} clicked impressions, {FIRST} needed"
    if (judged.positions > 0).any():
        state = replace(state, examination=harvest(judged, clicked.pairs))
    first_held = held_out(judged.starts)
    ranker = make_ranker(config, names)
    ranker.fit(between(judged, 0, first_held))
    if not ranker.fitted:
        return state, "no ranker trained: the clicked impressions order nothing"
    held = between(judged, first_held, judged.queries)
    verdict = judge(
        held,
        scored(state.ranker or state.fusion, held),
        scored(ranker, held),
        state.examination,
        first=state.ranker is None,
    )
    return (replace(state, ranker=ranker) if verdict.promote else state), verdict.reason
