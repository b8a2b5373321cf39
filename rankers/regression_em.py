"""Position bias from one log by regression-EM: Wang et al., WSDM 2018, section 4."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rankers.base import Features, Floats, Judged
from rankers.checks import check_judged
from rankers.propensity import FLOOR, Examination, known

GROUPS = 5
"""Disjoint parts of the log, each fitted on its own, whose spread gives the errors."""
LEAST = 1e-4


def regression_em(
    judged: Judged,
    *,
    prior: Examination | None = None,
    strength: float = 50.0,
    rounds: int = 60,
    num_leaves: int = 4,
    errors: bool = True,
    floor: float = FLOOR,
    seed: int = 0,
) -> Examination:
    """The curve that, with relevance read off the features, best explains which rows were clicked.

    Click (label > 0) at position p has probability theta[p] · gamma(features). The E-step gives each
    unclicked row the probability that it was examined and that it is relevant; the M-step averages
    the first by position, and moves gamma by one boosted tree towards the second (a generalised EM:
    one step up in each round, not a maximum). theta's largest entry is held at
    1, as only theta · gamma can be seen. `strength` rows a position, examined as `prior` says, are
    added to the average, so that a page with few clicks stays near the prior (1 / position). Where
    no feature tells at least 50 rows from 50 others, nothing is learnt and the prior is returned.

    Small trees on purpose: larger ones overfit the scarce clicks of the lower positions, which then
    come out too high. Rows at position 0 and below the prior's last are not read. Impressions without
    a click belong in `judged` too: without them the lower positions come out too high as well.

    `errors` come from fits to `GROUPS` interleaved parts of the queries (random-group variance),
    twice the time in all; they hold the spread of the estimate, not its bias.

    It rests on the features: leave out those that tell the position itself (the score or rank that
    ordered the page), or gamma explains the position bias away. Where the same pairs were shown at
    different positions, `harvest` needs no features.
    """
    if not strength > 0:
        raise ValueError(f"strength: found {strength}, expected a number of rows above 0")
    start = prior if prior is not None else Examination.prior()
    check_judged(judged, tuple(map(str, range(judged.features.shape[1]))))
    shown = (judged.positions > 0) & (judged.positions <= start.curve.size)
    queries = np.repeat(np.arange(judged.queries), np.diff(judged.starts))[shown]
    features = np.ascontiguousarray(judged.features[shown], np.float32)
    clicks = judged.labels[shown] > 0
    places = judged.positions[shown].astype(np.int64) - 1

    def fitted(part: NDArray[np.bool_]) -> Floats:
        theta = _alternate(
            features[part],
            clicks[part],
            places[part],
            start.curve,
            strength,
            rounds,
            num_leaves,
            seed,
        )
        return np.asarray(theta / theta[0], np.float64)

    curve = fitted(np.ones(clicks.size, np.bool_))
    if not errors:
        return Examination(curve, floor=floor)
    parts = np.log([fitted(queries % GROUPS == group) for group in range(GROUPS)])
    spread = parts.std(axis=0, ddof=1) / GROUPS**0.5
    if (parts == parts[0]).all():
        # Every part was too small to be fitted: that they agree on the prior is no certainty.
        spread = np.full(curve.size, np.inf)
    by_position = np.asarray(np.bincount(places, clicks, curve.size), np.float64)
    return Examination(curve, known(spread, by_position), floor)


def _alternate(
    features: Features,
    clicks: NDArray[np.bool_],
    places: NDArray[np.int64],
    prior: Floats,
    strength: float,
    rounds: int,
    num_leaves: int,
    seed: int,
) -> Floats:
    """theta (positions,), its largest entry 1."""
    if not clicks.any():
        return prior
    import lightgbm

    params = {
        "objective": "none",
        "num_leaves": num_leaves,
        "min_data_in_leaf": 50,
        "learning_rate": 0.2,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }
    theta: Floats = prior / prior.max()
    rate = min(clicks.sum() / theta[places].sum(), 0.5)
    level = np.full(clicks.size, np.log(rate / (1 - rate)))
    data = lightgbm.Dataset(features, clicks, init_score=level, params=params).construct()
    if all(data.feature_num_bin(column) == 0 for column in range(features.shape[1])):
        return prior  # no tree can split so few or so equal rows, and LightGBM makes no others
    booster = lightgbm.Booster(params, data)
    added = np.bincount(places, minlength=prior.size) + strength
    gamma = _sigmoid(level)

    def towards(raw: Floats, _: lightgbm.Dataset) -> tuple[Floats, Floats]:
        nonlocal gamma
        gamma = _sigmoid(raw)
        relevant = np.where(clicks, 1.0, gamma * (1 - theta[places]) / (1 - theta[places] * gamma))
        # Curvature of the likelihood of the clicks alone (Fisher scoring). That of the completed
        # data, gamma (1 - gamma), is larger, and the scale of theta then takes ten times the rounds.
        seen = theta[places] * gamma * (1 - gamma) ** 2 / (1 - theta[places] * gamma)
        return gamma - relevant, seen + 1e-3

    for _ in range(rounds):
        booster.update(fobj=towards)
        for _ in range(3):
            examined = np.where(
                clicks, 1.0, theta[places] * (1 - gamma) / (1 - theta[places] * gamma)
            )
            total = np.bincount(places, examined, prior.size) + strength * prior
            theta = np.maximum(total / added, LEAST)
            theta = theta / theta.max()
    return theta


def _sigmoid(raw: Floats) -> Floats:
    return np.asarray(np.clip(1.0 / (1.0 + np.exp(-raw)), 1e-6, 1 - 1e-6), np.float64)
