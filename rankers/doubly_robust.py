"""Relevance from clicks and a regression together (Oosterhuis, TOIS 41.3, 2023, section 5)."""

from __future__ import annotations

import numpy as np

from rankers.base import Floats
from rankers.exposures import Exposures
from rankers.propensity import FLOOR


def inverse_rates(
    exposures: Exposures, slope: Floats, offset: Floats, floor: float = FLOOR
) -> Floats:
    """Shape (n,): inverse propensity scoring of counted clicks, 0 for a pair never shown.

    Σ (clicks - offset · shown) / Σ max(slope, floor) · shown, over positions: the clipped estimator of
    Joachims et al. (WSDM 2017), affinely corrected for trust bias (Vardasbi, Oosterhuis and de Rijke,
    CIKM 2020, section 4). `slope`, `offset` (p,) are the click rate's, as of `LatentGrades`.
    """
    return _corrected(exposures, np.zeros(exposures.queries.size), slope, offset, floor)


def doubly_robust(
    exposures: Exposures, regressed: Floats, slope: Floats, offset: Floats, floor: float = FLOOR
) -> Floats:
    """Shape (n,): what a regression expects, corrected by how the clicks differ from it.

    R + Σ (clicks - (slope · R + offset) · shown) / Σ max(slope, floor) · shown, for R = `regressed`
    (n,): right where either the regression or the slope is, as the examination of a position stands in
    for whether somebody looked. A pair never shown keeps R.
    """
    if regressed.shape != exposures.queries.shape:
        raise ValueError(
            f"regressed: found shape {regressed.shape}, expected {exposures.queries.shape}"
        )
    return regressed + _corrected(exposures, regressed, slope, offset, floor)


def _corrected(
    exposures: Exposures, regressed: Floats, slope: Floats, offset: Floats, floor: float
) -> Floats:
    rates = regressed[:, None] * slope + offset
    surprise = (exposures.clicks - exposures.shown * rates).sum(axis=1)
    # Clipped as a whole: what is seldom looked at and now and then shown on top keeps its due.
    looks = np.maximum(exposures.shown @ slope, floor * exposures.shown.sum(axis=1))
    out = np.zeros(surprise.size)
    return np.asarray(np.divide(surprise, looks, out=out, where=looks > 0), np.float64)
