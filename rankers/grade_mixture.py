"""EM for a mixture of grades whose click rates are affine in examination; see `latent_grades`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats
from rankers.exposures import Exposures

LEAST = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """`slope`, `offset` (p,), `grades` (K,), and the `chances` (bins, K) of each grade before any click."""

    slope: Floats
    offset: Floats
    grades: Floats
    chances: Floats


def start_of(exposures: Exposures, curve: Floats, grades: int) -> Mixture:
    """Grades spread evenly up to the rate of the best pairs, as `curve` (p,) would have it; no offset."""
    looks = exposures.shown @ curve
    enough = looks > 0
    rates = exposures.clicks.sum(axis=1)[enough] / looks[enough]
    weights = looks[enough]
    order = np.argsort(rates)
    heavy = np.searchsorted(np.cumsum(weights[order]), 0.95 * weights.sum())
    top = float(np.clip(rates[order][min(heavy, order.size - 1)], 10 * LEAST, 0.95))
    levels = top * (np.arange(grades) + 0.5) / grades
    chances = 0.5 ** np.arange(1, grades + 1)
    return Mixture(curve.copy(), np.zeros(curve.size), levels, (chances / chances.sum())[None, :])


def starts_with_offset(exposures: Exposures, start: Mixture) -> tuple[Mixture, ...]:
    """Two: what is clicked without being wanted grows with the slope, or follows what the spread of
    rates leaves of their mean at each position. The likelihood has several maxima."""
    lowest = start.grades[0]
    even = replace(start, grades=start.grades - lowest, offset=lowest * start.slope)
    shown, clicks = exposures.shown, exposures.clicks
    total = np.maximum(shown.sum(axis=0), LEAST)
    mean = clicks.sum(axis=0) / total
    rates = np.divide(clicks, shown, out=np.zeros_like(clicks), where=shown > 0)
    noise = (shown > 0).sum(axis=0) * mean * (1.0 - mean) / total
    spread = np.sqrt(np.maximum((shown * (rates - mean) ** 2).sum(axis=0) / total - noise, 0.0))
    if not (spread > 0).all():
        return (even,)
    below = 0.9 * float(min((mean / spread).min(), 2.0))
    top = float(np.clip(mean[0] + 2.0 * spread[0] - (mean[0] - below * spread[0]), LEAST, 1.0))
    return even, replace(
        even, slope=spread / spread[0], offset=mean - below * spread,
        grades=np.linspace(0.0, top, start.grades.size),
    )  # fmt: skip


def maximised(
    exposures: Exposures,
    found: Mixture,
    bins: NDArray[np.int64],
    curve: Floats,
    strength: float,
    *,
    affine: bool,
    rounds: int = 80,
    weights: Floats | None = None,
) -> Mixture:
    """`found` after `rounds` of EM. `bins` (n,): the row of `chances` of each pair; `strength` looks a
    position, examined as `curve` (p,) says, are added; `weights` (n,): how often each pair counts."""
    seen = exposures.seen
    part, bins = exposures.part(seen), bins[seen]
    w = np.ones(bins.size) if weights is None else weights[seen]
    for _ in range(rounds):
        shares, _ = shares_of(part, found, bins)
        shares = shares * w[:, None]
        total = np.stack(
            [np.bincount(bins, column, len(found.chances)) for column in shares.T], axis=1
        )
        # Ten pairs of the usual kind keep a small bin from ruling a grade out.
        usual = total.sum(axis=0) / total.sum()
        chances = (total + 10.0 * usual) / (total.sum(axis=1, keepdims=True) + 10.0)
        found = _moved(
            replace(found, chances=chances), shares.T @ part.clicks, shares.T @ part.shown, curve,
            strength, affine=affine,
        )  # fmt: skip
    return found


def _moved(
    found: Mixture,
    clicks: Floats,
    shown: Floats,
    curve: Floats,
    strength: float,
    *,
    affine: bool,
) -> Mixture:
    """One M-step on counts (K, p) by grade: the Poisson likelihood's, consistent for any clicks with
    these means. A click is of the slope's making or the offset's, in proportion."""
    slope, offset, grades = found.slope, found.offset, found.grades
    for _ in range(3):
        wanted = grades[:, None] * slope
        own = clicks * wanted / np.maximum(wanted + offset, LEAST)
        mean = float(grades @ shown.sum(axis=1) / shown.sum())
        slope = (own.sum(axis=0) + strength * mean * curve) / (
            grades @ shown + strength * mean / slope[0]
        )
        if affine:
            offset = (clicks - own).sum(axis=0) / np.maximum(shown.sum(axis=0), LEAST)
        grades = np.maximum(own.sum(axis=1) + LEAST, LEAST) / (shown @ slope + 1.0)
        if affine:
            grades[0] = 0.0
        slope, grades = slope / slope[0], grades * slope[0]
    return replace(found, slope=slope, offset=offset, grades=grades)


def shares_of(
    exposures: Exposures, found: Mixture, bins: NDArray[np.int64]
) -> tuple[Floats, float]:
    """Chances (n, K) of each grade given the clicks, and their log-likelihood."""
    rates = np.clip(found.grades[:, None] * found.slope + found.offset, LEAST, 1.0 - LEAST)
    missed = exposures.shown - exposures.clicks
    logs = (
        exposures.clicks @ np.log(rates).T
        + missed @ np.log1p(-rates).T
        + np.log(np.maximum(found.chances, 1e-300))[bins]
    )
    highest = logs.max(axis=1, keepdims=True)
    shares = np.exp(logs - highest)
    total = shares.sum(axis=1, keepdims=True)
    return shares / total, float((highest + np.log(total)).sum())
