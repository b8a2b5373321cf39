"""Position bias from pairs shown at several positions: intervention harvesting.

The data are those of Agarwal et al., WSDM 2019: rankings differ between times, users and models, so
the same query-document pair is met at different positions, and what its clicks differ by is
examination. Their estimators weigh two positions at a time; here all the positions of a pair enter
one conditional likelihood, of which two positions with equal exposure are the Bradley-Terry case.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats, Judged
from rankers.propensity import FLOOR, Examination, known


def harvest(
    judged: Judged,
    pairs: NDArray[np.int64],
    *,
    prior: Examination | None = None,
    strength: float = 5.0,
    floor: float = FLOOR,
) -> Examination:
    """The curve under which the clicks of each pair fall where they did.

    `pairs` (n,): the identity of each row's (query, document), from 0, or of any other group of rows
    whose worth their position tells nothing of; rows below 0 are not read. Expected clicks of pair i at
    position p are theta[p] · gamma[i] · exposures[i, p]; given how many clicks the pair has, its
    gamma cancels (fixed-effects Poisson likelihood; consistent for clicks of any distribution with
    these means, Wooldridge, J. Econometrics 1999). Pairs seen at one position say nothing. It is
    maximised by Hunter's MM steps (Annals of Statistics 2004).

    `strength` clicks, split over a page as `prior` (1 / position) says, are added as one more pair.
    `errors` are the larger of the likelihood's own and those clustered by pair (sandwich). Rows at
    position 0 and below the prior's last position are not read; impressions without a click belong
    in `judged` too. It rests on positions that differ for other reasons than the pair's own clicks.
    """
    if pairs.shape != judged.labels.shape:
        raise ValueError(f"pairs: found shape {pairs.shape}, expected {judged.labels.shape}")
    if not strength > 0:
        raise ValueError(f"strength: found {strength}, expected a number of clicks above 0")
    start = prior if prior is not None else Examination.prior()
    clicks, exposures = _tables(judged, pairs, start.curve.size)
    share = start.curve / start.curve.sum()
    clicks = np.vstack([clicks, strength * share])
    exposures = np.vstack([exposures, np.ones(share.size)])
    theta = _maximise(clicks, exposures, share)
    errors = known(_errors(clicks, exposures, theta), clicks[:-1].sum(axis=0))
    return Examination(theta / theta[0], errors, floor)


def _tables(judged: Judged, pairs: NDArray[np.int64], positions: int) -> tuple[Floats, Floats]:
    """Clicks and exposures (pairs, positions) of the clicked pairs seen at two positions or more."""
    shown = (judged.positions > 0) & (judged.positions <= positions) & (pairs >= 0)
    distinct, row = np.unique(pairs[shown], return_inverse=True)
    cell = row * positions + judged.positions[shown] - 1
    size = distinct.size * positions
    exposures = np.bincount(cell, minlength=size).reshape(-1, positions)
    clicks = np.bincount(cell, judged.labels[shown] > 0, size).reshape(-1, positions)
    telling = ((exposures > 0).sum(axis=1) > 1) & (clicks.sum(axis=1) > 0)
    return np.asarray(clicks[telling], np.float64), np.asarray(exposures[telling], np.float64)


def _maximise(clicks: Floats, exposures: Floats, theta: Floats) -> Floats:
    total, by_position = clicks.sum(axis=1), clicks.sum(axis=0)
    for _ in range(2000):
        following: Floats = by_position / (exposures.T @ (total / (exposures @ theta)))
        following = following / following.sum()
        if np.abs(np.log(following / theta)).max() < 1e-8:
            return following
        theta = following
    return theta


def _errors(clicks: Floats, exposures: Floats, theta: Floats) -> Floats:
    """Standard errors (positions,) of log(theta / theta[0]), the first 0."""
    shares = exposures * theta
    shares /= shares.sum(axis=1, keepdims=True)
    total = clicks.sum(axis=1)
    bread = np.diag(total @ shares) - shares.T @ (shares * total[:, None])
    scores = clicks - total[:, None] * shares
    inverse = np.linalg.inv(bread[1:, 1:])
    clustered = inverse @ (scores.T @ scores)[1:, 1:] @ inverse
    return np.concatenate([[0.0], np.sqrt(np.maximum(np.diag(inverse), np.diag(clustered)))])
