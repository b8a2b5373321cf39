"""Position bias and relevance from counted clicks: a mixture of latent grades.

Regression-EM (`regression_em`) reads relevance off the features alone. Where the same pair is shown
often, its own clicks say more: the rates of equally good items differ by position alone, so how the
mixture of rates shifts from position to position is the position bias, whatever the features miss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats
from rankers.exposures import Exposures
from rankers.grade_mixture import (
    LEAST,
    Mixture,
    maximised,
    shares_of,
    start_of,
    starts_with_offset,
)
from rankers.propensity import FLOOR, Examination, known

GRADES = 4
PARTS = 3
"""Parts of the queries; the features of each are read by a regression that has not seen it."""
BINS = 8


@dataclass(frozen=True, slots=True, eq=False)
class LatentGrades:
    """Shown at position j, an item of grade k is clicked with probability slope[j] · grade[k] + offset[j].

    `slope`, `offset` (p,), `grades` (K,) ascending. Without trust bias `offset` is 0; with it, the
    lowest grade is 0 and `offset` is how often what nobody wants is clicked all the same (Agarwal et
    al., WWW 2019; Vardasbi, Oosterhuis and de Rijke, CIKM 2020: clicks are affine in relevance).
    `expected` (n,): the grade of each pair given its clicks and features, `regressed` (n,): given its
    features alone; `shares` (n, K): how probable each grade is. `likelihood`: log-likelihood of the
    clicks; `errors` (p,): of log(slope), None where they were not asked for.
    """

    slope: Floats
    offset: Floats
    grades: Floats
    shares: Floats
    regressed: Floats
    likelihood: float
    errors: Floats | None = None

    @property
    def expected(self) -> Floats:
        """Shape (n,): the mean grade of each pair."""
        return np.asarray(self.shares @ self.grades, np.float64)

    @property
    def trust(self) -> bool:
        """Whether clicks have an offset."""
        return bool((self.offset > 0).any())

    def at_the_top(self, grade: Floats) -> Floats:
        """The click rate at the first position of items of these expected grades."""
        return np.asarray(self.slope[0] * grade + self.offset[0], np.float64)

    def examination(self, floor: float = FLOOR) -> Examination:
        """The curve, as a share of the first position's."""
        return Examination(self.slope / self.slope[0], self.errors, floor)


def latent_grades(
    exposures: Exposures,
    *,
    grades: int = GRADES,
    trust: bool | None = None,
    prior: Examination | None = None,
    strength: float = 5.0,
    regressions: int = 2,
    replicates: int = 0,
    seed: int = 0,
) -> LatentGrades:
    """The mixture under which the clicks of each pair, and of pairs like it, are likeliest.

    EM over the grade of each pair. Its chances before any click are those of the pairs whose features
    a boosted regression scores alike (eighths of the log, cross-fitted by query so that no pair is
    judged by a regression that has seen its clicks); the regression is fitted `regressions` times, to
    what is expected of each pair so far. `trust`: with an offset a position, without, or (None)
    whichever the Bayesian information criterion prefers. `strength` looks a position, examined as
    `prior` (1 / position) says, are added. `replicates` fits to resampled queries, with the features'
    scores held, give the errors; 0: none.
    """
    if grades < 2:
        raise ValueError(f"grades: found {grades}, expected at least 2")
    if not strength > 0:
        raise ValueError(f"strength: found {strength}, expected a number of looks above 0")
    p = exposures.shown.shape[1]
    curve = (prior if prior is not None else Examination.prior(p)).of(
        np.arange(1, p + 1, dtype=np.int32)
    )
    if not exposures.clicks.any():
        n = exposures.queries.size
        even = np.full((n, grades), 1.0 / grades)
        errors = np.r_[0.0, np.full(p - 1, np.inf)] if replicates else None
        levels = np.linspace(0.0, LEAST, grades)
        return LatentGrades(curve, np.zeros(p), levels, even, even @ levels, 0.0, errors)
    start = start_of(exposures, curve, grades)
    found = [
        _fitted(exposures, start, curve, strength, regressions, seed, affine=affine)
        for affine in ((False, True) if trust is None else (trust,))
    ]
    rows = int(exposures.seen.sum())
    # An offset for every position but the first, whose scale the lowest grade had before.
    penalty = [0.0, 0.5 * (p - 1) * np.log(max(rows, 2))]
    best = max(range(len(found)), key=lambda i: found[i][0].likelihood - (penalty[i] if i else 0.0))
    model, bins = found[best]
    if replicates:
        errors = _errors(exposures, model, bins, curve, strength, replicates, seed)
        model = replace(model, errors=errors)
    return model


def _fitted(
    exposures: Exposures,
    start: Mixture,
    curve: Floats,
    strength: float,
    regressions: int,
    seed: int,
    *,
    affine: bool,
) -> tuple[LatentGrades, NDArray[np.int64]]:
    bins = np.zeros(exposures.queries.size, np.int64)
    tried = [
        maximised(exposures, one, bins, curve, strength, affine=affine)
        for one in (starts_with_offset(exposures, start) if affine else (start,))
    ]
    found = max(tried, key=lambda one: shares_of(exposures, one, bins)[1])
    for _ in range(regressions):
        scores = _regressed(exposures, found, bins, seed)
        edges = np.quantile(scores[exposures.seen], np.linspace(0, 1, BINS + 1)[1:-1])
        bins = np.searchsorted(edges, scores)
        chances = np.repeat(found.chances.mean(axis=0)[None, :], BINS, axis=0)
        found = maximised(
            exposures, replace(found, chances=chances), bins, curve, strength, affine=affine
        )
    shares, likelihood = shares_of(exposures, found, bins)
    order = np.argsort(found.grades)
    return LatentGrades(
        found.slope,
        found.offset,
        found.grades[order],
        shares[:, order],
        found.chances[bins] @ found.grades,
        likelihood,
    ), bins


def _regressed(exposures: Exposures, found: Mixture, bins: NDArray[np.int64], seed: int) -> Floats:
    """Shape (n,): the grade expected from the features, by regressions that have not seen the query."""
    import lightgbm

    shares, _ = shares_of(exposures, found, bins)
    expected, seen = shares @ found.grades, exposures.seen
    looks = exposures.shown @ found.slope
    _, query = np.unique(exposures.queries, return_inverse=True)
    params = {
        "objective": "regression", "num_leaves": 6, "min_data_in_leaf": 30, "learning_rate": 0.1,
        "feature_fraction": 0.5, "num_threads": 1, "seed": seed, "deterministic": True,
        "force_row_wise": True, "verbosity": -1,
    }  # fmt: skip
    scores = np.full(query.size, float(expected[seen].mean()))
    for part in range(PARTS):
        inside = query % PARTS == part
        told = seen & ~inside
        if told.sum() < 2 * PARTS or not inside.any():
            continue
        data = lightgbm.Dataset(
            exposures.features[told], expected[told],
            weight=(looks / (looks + 3.0))[told], params=params,
        ).construct()  # fmt: skip
        if all(data.feature_num_bin(c) == 0 for c in range(exposures.features.shape[1])):
            continue  # so few or so equal rows that no tree can split them
        booster = lightgbm.train(params, data, num_boost_round=40)
        scores[inside] = np.asarray(booster.predict(exposures.features[inside], num_threads=1))
    return scores


def _errors(
    exposures: Exposures,
    model: LatentGrades,
    bins: NDArray[np.int64],
    curve: Floats,
    strength: float,
    replicates: int,
    seed: int,
) -> Floats:
    """Standard errors (p,) of log(slope / slope[0]): the spread over resampled queries."""
    rng = np.random.default_rng(seed)
    _, query = np.unique(exposures.queries, return_inverse=True)
    count = int(query.max()) + 1
    chances = np.repeat(model.shares.mean(axis=0)[None, :], int(bins.max()) + 1, axis=0)
    found = Mixture(model.slope, model.offset, model.grades, chances)
    logs = []
    for _ in range(replicates):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        weights = drawn[query].astype(np.float64)
        again = maximised(
            exposures, found, bins, curve, strength, affine=model.trust, rounds=15, weights=weights
        )
        logs.append(np.log(again.slope / again.slope[0]))
    spread = np.std(logs, axis=0, ddof=1) if replicates > 1 else np.full(curve.size, np.inf)
    return known(np.asarray(spread, np.float64), exposures.clicks.sum(axis=0))
