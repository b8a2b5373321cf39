"""Ways to learn from simulated clicks, all on the same sessions; exploration on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bias_world import (
    PAGE,
    Fold,
    click_ranker,
    clicks_a_visit,
    nothing_seen,
    orders,
    queries_of,
    true_curve,
    visited,
)
from benchmarks.clicks import ClickModel
from rankers.base import Floats
from rankers.doubly_robust import inverse_rates
from rankers.exploration import within_loss
from rankers.exposures import Exposures
from rankers.gate import judge
from rankers.lambdamart import LambdaMART
from rankers.latent_grades import LatentGrades, latent_grades
from rankers.leaning import Leaning, Scorer, spread
from rankers.propensity import Examination
from rankers.unbiased import METHODS, Method, chosen, fitted

ROUNDS = 10
VARIANTS = 3
"""Explored pages a query and round."""
LEANING = (0.0, 0.3, 0.7)
"""Of production's scores, tried at each redeployment: exploring tells what production hid."""
HELD = 4
"""One in so many queries is held out by the gate of a redeployment."""
TRUE = "ips, true curve"
CHOSEN = "chosen"
EXPLORED = "exploration"
NAMES_OF: dict[Method, str] = {
    "naive": "naive",
    "ips": "ips, estimated curve",
    "lightgbm": "lightgbm",
    "doubly_robust": "doubly robust",
    "expected": "expected grade",
}
ROWS = (*NAMES_OF.values(), TRUE, CHOSEN, EXPLORED)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Of one method in one fold. `quality`: nDCG@10 on the test queries; `about`: what else is told."""

    quality: float
    about: dict[str, Any]


def one_log(
    fold: Fold, model: ClickModel, sessions: int, rng: np.random.Generator
) -> dict[str, Outcome]:
    """Every method but exploration, on one log of the production ranker's pages."""
    pages = [[rows] for rows in orders(fold.train, fold.production.score(fold.train.features))]
    log = visited(fold.train, pages, sessions, model, rng)
    estimate = latent_grades(_with_score(log, fold), seed=0)
    curve = true_curve(model, fold.train, pages)
    off = float(np.abs(estimate.slope / estimate.slope[0] / curve - 1.0).max())
    everything = np.ones(log.queries.size, np.bool_)
    rankers = {
        method: fitted(method, log, estimate, click_ranker, everything) for method in METHODS
    }
    found = {
        NAMES_OF[method]: Outcome(fold.quality(ranker), {}) for method, ranker in rankers.items()
    }
    worth = inverse_rates(log, curve, np.zeros(PAGE))
    known = click_ranker()
    known.fit(log.judged(np.maximum(worth, 0.0), log.seen))
    found[TRUE] = Outcome(fold.quality(known), {})
    choice = chosen(log, estimate, click_ranker, fold.production.score(fold.train.features))
    best: Scorer = fold.production
    if choice.method is not None:
        best = _leaning_on(fold, rankers[choice.method], choice.weight)
    about = {
        "method": choice.method or "production",
        "weight_of_production": choice.weight,
        "curve": (estimate.slope / estimate.slope[0]).tolist(),
        "true_curve": curve.tolist(),
        "largest_error": off,
        "trust": estimate.trust,
    }
    found[CHOSEN] = Outcome(fold.quality(best), about)
    return found


def _leaning_on(fold: Fold, new: LambdaMART, weight: float) -> Leaning:
    queries = queries_of(fold.train)
    spreads = [spread(one.score(fold.train.features), queries) for one in (new, fold.production)]
    return Leaning(new, fold.production, weight, *spreads)


def _with_score(log: Exposures, fold: Fold) -> Exposures:
    """With the production ranker's score as one more feature: it has seen labels, clicks haven't."""
    score = fold.production.score(fold.train.features)
    features = np.ascontiguousarray(np.column_stack([log.features, score]), np.float32)
    return Exposures(features, log.queries, log.shown, log.clicks)


def explored(
    fold: Fold,
    model: ClickModel,
    sessions: int,
    loss: float,
    rng: np.random.Generator,
    rounds: int = ROUNDS,
) -> Outcome:
    """The same sessions spent over `rounds` deployments, each ranker passing a gate first.

    From the second round on, pages lean towards a draw from what is known of every pair (Thompson
    sampling of its grade), as far as a page keeps 1 - `loss` of the clicks expected of it.
    """
    train = fold.train
    log, estimate = nothing_seen(train), None
    ranker: Scorer = fold.production
    twin: Scorer = fold.production
    held = queries_of(train) % HELD == 0
    costs, promoted = [], 0
    for turn in range(rounds):
        plain = orders(train, ranker.score(train.features))
        pages = [[rows] for rows in plain]
        if estimate is not None:
            pages = _leaning(plain, estimate, loss, rng)
        curve = true_curve(model, train, [[rows] for rows in plain])
        costs.append(
            [
                clicks_a_visit(train, shown, curve)
                for shown in (pages, [[rows] for rows in plain], _of(fold.production, fold))
            ]
        )
        count = sessions // rounds + int(turn < sessions % rounds)
        log = log.plus(visited(train, pages, count, model, rng))
        estimate = latent_grades(_with_score(log, fold), regressions=1, seed=turn)
        apart = fitted("expected", log, estimate, click_ranker, ~held)
        if not apart.fitted:
            continue
        tried = [_leaning_on(fold, apart, weight) for weight in LEANING]
        best = _best(log, estimate, held, fold.production, twin, tried)
        if best is fold.production:
            ranker = twin = fold.production
        elif isinstance(best, Leaning) and best is not twin:
            whole = fitted("expected", log, estimate, click_ranker, np.ones_like(held))
            ranker, twin = _leaning_on(fold, whole, best.weight), best
            promoted += 1
    spent = np.array(costs).sum(axis=0)
    about = {
        "promoted": promoted,
        "loss_by_exploring": float(1.0 - spent[0] / spent[1]),
        "clicks_over_production": float(spent[0] / spent[2] - 1.0),
    }
    return Outcome(fold.quality(ranker), about)


def _of(ranker: LambdaMART, fold: Fold) -> list[list[NDArray[np.int64]]]:
    return [[rows] for rows in orders(fold.train, ranker.score(fold.train.features))]


def _best(
    log: Exposures,
    estimate: LatentGrades,
    held: NDArray[np.bool_],
    production: Scorer,
    deployed: Scorer,
    tried: list[Leaning],
) -> Scorer:
    """Of those tried the one that the held-out queries' clicks are most for, where they put it above
    production and not surely below what is deployed; else what is deployed, or production where they
    put that above it."""
    kept = held & log.seen
    told = log.judged(estimate.at_the_top(estimate.expected), kept)
    features, even = log.features[kept], Examination.even()
    first, now = production.score(features), deployed.score(features)
    scores = [one.score(features) for one in tried]
    gains = [judge(told, first, score, even).difference for score in scores]
    most = int(np.argmax(gains))
    if gains[most] > 0.0 and judge(told, now, scores[most], even).high >= 0.0:
        return tried[most]
    return deployed if judge(told, first, now, even).difference >= 0.0 else production


def _leaning(
    plain: list[NDArray[np.int64]],
    estimate: LatentGrades,
    loss: float,
    rng: np.random.Generator,
) -> list[list[NDArray[np.int64]]]:
    curve = Examination(np.minimum(estimate.slope / estimate.slope[0], 1.0), floor=1e-3)
    worth = estimate.at_the_top(estimate.expected)
    ceilings = estimate.shares.cumsum(axis=1)
    pages: list[list[NDArray[np.int64]]] = [[] for _ in plain]
    for _ in range(VARIANTS):
        drawn = _drawn(ceilings, estimate.grades, rng)
        for query, rows in enumerate(plain):
            order = np.arange(rows.size)
            wanted = np.argsort(-drawn[rows], kind="stable")
            made = within_loss(order, wanted, worth[rows], curve, loss, PAGE)
            pages[query].append(rows[made])
    return pages


def _drawn(ceilings: Floats, grades: Floats, rng: np.random.Generator) -> Floats:
    """Shape (n,): a grade for each pair, drawn from its shares."""
    above = rng.random(len(ceilings))[:, None] > ceilings
    return np.asarray(grades[np.minimum(above.sum(axis=1), grades.size - 1)], np.float64)
