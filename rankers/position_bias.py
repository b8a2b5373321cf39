"""The position bias of a log, by the surest way that the log allows; for each kind of page apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats, Judged
from rankers.exposures import Exposures
from rankers.gate import between
from rankers.harvesting import harvest
from rankers.latent_grades import latent_grades
from rankers.propensity import Examination, smoothed
from rankers.regression_em import regression_em

Source = Literal["given", "randomised", "harvested", "repeated", "regression"]
SURE = 0.15
"""Standard error of log(curve), the largest of a page, up to which a way is taken for sure enough."""
REPEATS = 5.0
"""Mean looks at a pair from which on its own clicks tell more than its features."""
REPLICATES = 20
IMPRESSIONS = 1_000
"""Of one kind of page, below which it has the curve of all."""


@dataclass(frozen=True, slots=True, eq=False)
class PositionBias:
    """A curve with its errors, how it was come by, and from how many impressions."""

    examination: Examination
    source: Source
    impressions: int


def position_bias(
    judged: Judged,
    queries: NDArray[np.int64],
    documents: NDArray[np.int64],
    *,
    given: Examination | None = None,
    randomised: NDArray[np.bool_] | None = None,
    varied: bool = False,
    prior: Examination | None = None,
    seed: int = 0,
) -> PositionBias:
    """The curve of a log of impressions, clicked or not.

    `queries` (q,) and `documents` (n,): what each impression and row is of. In this order: the curve
    `given`, if there is one; `harvest` from the impressions whose order chance decided,
    `randomised` (q,); `harvest` from all, where `varied` says that the same pairs stand at different
    positions for other reasons than their own clicks; the mixture of `latent_grades`, where pairs are
    shown again and again; regression-EM. The harvests only count where they are sure (`SURE`). Errors
    of the harvests are those of the likelihood, clustered by pair; of the others by resampling
    queries. What is estimated is `smoothed`.
    """
    if given is not None:
        return PositionBias(given, "given", judged.queries)
    pairs = _pairs(judged, queries, documents)
    if randomised is not None and randomised.any():
        drawn, rows = _impressions(judged, randomised)
        found = harvest(drawn, pairs[rows], prior=prior)
        if _sure(found):
            return PositionBias(smoothed(found), "randomised", drawn.queries)
    if varied:
        found = harvest(judged, pairs, prior=prior)
        if _sure(found):
            return PositionBias(smoothed(found), "harvested", judged.queries)
    start = prior if prior is not None else Examination.prior()
    counted = Exposures.of(judged, queries, documents, start.curve.size)
    looks = counted.shown.sum(axis=1)[counted.seen]
    if looks.size and looks.mean() >= REPEATS:
        model = latent_grades(counted, prior=prior, replicates=REPLICATES, seed=seed)
        return PositionBias(smoothed(model.examination()), "repeated", judged.queries)
    found = regression_em(judged, prior=prior, seed=seed)
    return PositionBias(smoothed(found), "regression", judged.queries)


def by_surface(
    judged: Judged,
    queries: NDArray[np.int64],
    documents: NDArray[np.int64],
    surfaces: NDArray[np.str_],
    *,
    given: Mapping[str, Examination] | None = None,
    randomised: NDArray[np.bool_] | None = None,
    varied: bool = False,
    prior: Examination | None = None,
    seed: int = 0,
) -> dict[str, PositionBias]:
    """`position_bias` for every kind of page or device, `surfaces` (q,), and under "" for all together.

    A kind with fewer than `IMPRESSIONS` has the curve of all; the others start from it.
    """
    known = given or {}

    def of(rows: NDArray[np.bool_], start: Examination | None, name: str) -> PositionBias:
        part, kept = _impressions(judged, rows)
        return position_bias(
            part, queries[rows], documents[kept], given=known.get(name),
            randomised=None if randomised is None else randomised[rows], varied=varied,
            prior=start, seed=seed,
        )  # fmt: skip

    whole = of(np.ones(judged.queries, np.bool_), prior, "")
    found = {"": whole}
    for name in np.unique(surfaces).tolist():
        rows = surfaces == name
        if name in known or rows.sum() >= IMPRESSIONS:
            found[name] = of(rows, replace(whole.examination, errors=None), name)
        else:
            found[name] = whole
    return found


def _sure(found: Examination) -> bool:
    return found.errors is not None and bool((found.errors <= SURE).all())


def _pairs(
    judged: Judged, queries: NDArray[np.int64], documents: NDArray[np.int64]
) -> NDArray[np.int64]:
    keys = np.stack([np.repeat(queries, np.diff(judged.starts)), documents], axis=1)
    _, pairs = np.unique(keys, axis=0, return_inverse=True)
    return pairs.reshape(-1).astype(np.int64)


def _impressions(judged: Judged, chosen: NDArray[np.bool_]) -> tuple[Judged, NDArray[np.bool_]]:
    """Some impressions (q,), and which rows (n,) they are."""
    if chosen.all():
        return between(judged, 0, judged.queries), np.ones(judged.labels.size, np.bool_)
    sizes = np.diff(judged.starts)
    rows = np.repeat(chosen, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes[chosen])]).astype(np.int64)
    weights: Floats = judged.weights[rows]
    return Judged(
        judged.features[rows], judged.labels[rows], weights, judged.positions[rows], starts
    ), rows
