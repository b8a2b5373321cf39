"""The position bias of a log, by the surest way that the log allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rankers.base import Judged
from rankers.exposures import Exposures
from rankers.gate import between
from rankers.harvesting import harvest
from rankers.latent_grades import latent_grades
from rankers.propensity import Examination, smoothed
from rankers.regression_em import regression_em

Source = Literal["assumed", "given", "randomised", "harvested", "repeated", "regression"]
SOURCES: tuple[Source, ...] = get_args(Source)
SURE = 0.15
"""Standard error of log(curve), the largest of a page, up to which a way is taken for sure enough."""
REPEATS = 5.0
"""Mean looks at a pair from which on its own clicks tell more than its features."""
REPLICATES = 20
REGRESSED = 3_000
"""The latest impressions that a regression on features reads; the other ways read all."""

Groups = NDArray[np.int64]
"""Shape (n,): rows with the same number, from 0, are compared with each other; -1 with none."""


@dataclass(frozen=True, slots=True, eq=False)
class PositionBias:
    """A curve with its errors, how it was come by ("assumed": before there are clicks), and from how
    many impressions."""

    examination: Examination
    source: Source
    impressions: int


def position_bias(
    judged: Judged,
    queries: NDArray[np.int64],
    documents: NDArray[np.int64],
    *,
    given: Examination | None = None,
    randomised: Groups | None = None,
    varied: Groups | None = None,
    prior: Examination | None = None,
    seed: int = 0,
) -> PositionBias:
    """The curve of a log of impressions, clicked or not.

    `queries` (q,) and `documents` (n,): what each impression and row is of. In this order: the curve
    `given`, if there is one; `harvest` from rows of which chance alone decided where in their group's
    positions they stood, `randomised`, as those that a ranking placed alike before some were swapped;
    `harvest` from pairs that stood at different positions for other reasons than their own clicks,
    `varied`; the mixture of `latent_grades`, where pairs are shown again and again; regression-EM of the
    latest `REGRESSED`. The harvests only count where they are sure (`SURE`). Errors of the harvests are those of the likelihood,
    clustered by group; of the others by resampling queries. What is estimated is `smoothed`.
    """
    if given is not None:
        return PositionBias(given, "given", judged.queries)
    ways: tuple[tuple[Source, Groups | None], ...] = (
        ("randomised", randomised),
        ("harvested", varied),
    )
    for source, groups in ways:
        if groups is None or not (groups >= 0).any():
            continue
        found = harvest(judged, groups, prior=prior)
        if found.errors is not None and (found.errors <= SURE).all():
            starts = judged.starts[:-1][np.diff(judged.starts) > 0]
            told = int((np.maximum.reduceat(groups, starts) >= 0).sum())
            return PositionBias(smoothed(found), source, told)
    start = prior if prior is not None else Examination.prior()
    counted = Exposures.of(judged, queries, documents, start.curve.size)
    looks = counted.shown.sum(axis=1)[counted.seen]
    if looks.size and looks.mean() >= REPEATS:
        model = latent_grades(counted, prior=prior, replicates=REPLICATES, seed=seed)
        return PositionBias(smoothed(model.examination()), "repeated", judged.queries)
    latest = between(judged, max(judged.queries - REGRESSED, 0), judged.queries)
    estimated = regression_em(latest, prior=prior, seed=seed)
    return PositionBias(smoothed(estimated), "regression", latest.queries)
