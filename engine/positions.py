"""Position bias from the log: every page that was shown, clicked or not, and what chance did to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import EngineConfig
from engine.log import Log
from engine.log_rows import EventRow, FeatureRows, SearchRow
from engine.ranking_features import SET_COLUMNS
from rankers.base import Floats, Judged
from rankers.exploration import PAGE
from rankers.propensity import Examination
from rankers.surfaces import Surfaces, by_surface
from retrievers.analysis import normalise

FIRST = 100
"""Pages with a click below which nothing is estimated."""


def surface_of(attributes: Mapping[str, Any], config: EngineConfig) -> str:
    """The kind of page that the attributes of a context tell of; empty where they tell nothing."""
    named = (attributes.get(name) for name in config.surface)
    return "/".join(str(value) for value in named if value is not None)


def given_curves(config: EngineConfig) -> dict[str, Examination]:
    """The curves that somebody knows, by kind of page."""
    return {
        name: Examination(np.array(curve, np.float64)) for name, curve in config.examination.items()
    }


def weights_of_documents(events: Sequence[EventRow], config: EngineConfig) -> dict[str, float]:
    """By document, the largest weight of what was done with it."""
    best: dict[str, float] = {}
    for event in events:
        weight = config.rewards.get(event.action, 0.0) * event.weight
        best[event.document] = max(best.get(event.document, 0.0), weight)
    return best


def learnt_surfaces(
    log: Log, config: EngineConfig, names: tuple[str, ...], until: tuple[int, int], before: Surfaces
) -> Surfaces:
    """The position bias of each kind of page, as the latest pages tell it; `before` where they are few.

    Pages of which the log knows no order, or no more than where the clicks were, tell nothing of it.
    """
    numbers, pages = _Numbers(), list[_Page]()
    wanted = [action for action, weight in config.rewards.items() if weight > 0]
    columns = _without_order(names)
    for search, rows, events in log.judged(
        names, wanted, until, config.ranker_window, clicked=False
    ):
        if search.shown:
            pages.append(_page(search, rows, events, config, columns, numbers))
    if sum(bool(page.clicks.any()) for page in pages) < FIRST:
        return before
    judged = Judged(
        np.concatenate([page.features for page in pages]),
        np.concatenate([page.clicks for page in pages]),
        np.ones(sum(page.clicks.size for page in pages)),
        np.concatenate([page.positions for page in pages]),
        np.cumsum([0, *(page.clicks.size for page in pages)], dtype=np.int64),
    )
    return by_surface(
        judged,
        np.array([page.query for page in pages], np.int64),
        np.concatenate([page.documents for page in pages]),
        np.array([page.surface for page in pages], np.str_),
        given=given_curves(config),
        randomised=np.concatenate([page.randomised for page in pages]),
        varied=np.concatenate([page.varied for page in pages]),
        seed=config.seed,
    )


def _without_order(names: tuple[str, ...]) -> list[int]:
    """All columns but those that order a page before a ranker does: they tell the position, and
    regression-EM would take position bias for relevance."""
    telling = (".rank", ".place")
    return [
        i for i, name in enumerate(names) if name not in SET_COLUMNS and not name.endswith(telling)
    ]


class _Numbers(dict[object, int]):
    """A number for each key, in order of appearance."""

    def __missing__(self, key: object) -> int:
        self[key] = len(self)
        return self[key]


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """One page: the rows that were shown and have features. `randomised`, `varied` (n,): see
    `position_bias`."""

    surface: str
    query: int
    features: NDArray[np.float32]
    documents: NDArray[np.int64]
    positions: NDArray[np.int32]
    clicks: Floats
    randomised: NDArray[np.int64]
    varied: NDArray[np.int64]


def _page(
    search: SearchRow,
    rows: FeatureRows,
    events: Sequence[EventRow],
    config: EngineConfig,
    columns: list[int],
    numbers: _Numbers,
) -> _Page:
    places = {document: place for place, document in enumerate(search.shown, start=1)}
    at = [i for i, document in enumerate(rows.documents) if document in places]
    shown = [rows.documents[i] for i in at]
    positions = [places[document] for document in shown]
    weights = weights_of_documents(events, config)
    alike, apart = _by_chance(search), _by_circumstance(search)
    return _Page(
        surface=surface_of(search.context.get("attributes", {}), config),
        query=numbers["query", normalise(search.text)],
        features=np.ascontiguousarray(rows.features[at][:, columns]),
        documents=np.array([numbers["document", d] for d in shown], np.int64),
        positions=np.array(positions, np.int32),
        clicks=np.array([float(weights.get(d, 0.0) > 0) for d in shown]),
        randomised=np.array(
            [-1 if alike is None else numbers[*alike[0], alike[1].get(p, p)] for p in positions],
            np.int64,
        ),
        varied=np.array([-1 if apart is None else numbers[*apart, d] for d in shown], np.int64),
    )


def _by_chance(search: SearchRow) -> tuple[tuple[object, ...], dict[int, int]] | None:
    """What the chances of a swap depended on, and where those stood that were swapped; None where the
    page is as it was ranked for certain."""
    about = search.exploration
    if about is None or search.interleaving is not None or search.candidates is None:
        return None
    one, other = about["swap"] or (0, 0)
    pool = min(search.candidates, 2 * PAGE)
    return ("placed", search.version, about["loss"], pool), {one: other, other: one}


def _by_circumstance(search: SearchRow) -> tuple[object, ...] | None:
    """All that a page was made for but the hour. With these equal, a pair stands where chance and hour
    have put it, not where its own clicks have: nothing was learnt in between."""
    if search.imported:
        return None
    given = {name: value for name, value in search.context.items() if name != "time"}
    drafted = search.interleaving or {}
    teams = tuple(drafted[side]["version"] for side in ("incumbent", "challenger") if drafted)
    about = json.dumps(given, sort_keys=True)
    return ("pair", search.version, teams, search.text, about)
