"""LambdaMART from counted clicks, without the bias of where they were made; held-out clicks choose how.

    naive          click rates as they are
    ips            clicks over their clipped examination (Joachims et al., WSDM 2017)
    lightgbm       click rates, and an effect of the position that LightGBM learns beside the trees
    doubly_robust  a regression corrected by the clicks (Oosterhuis, TOIS 2023)
    expected       the grade to be expected from a pair's clicks and features (see `latent_grades`)

Where clicks have a trust bias, all but the first and the third are corrected for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats
from rankers.doubly_robust import doubly_robust, inverse_rates
from rankers.exposures import Exposures
from rankers.gate import Verdict, judge
from rankers.lambdamart import LambdaMART
from rankers.latent_grades import LatentGrades
from rankers.leaning import WEIGHTS, spread
from rankers.ndcg import debiased_ndcg
from rankers.propensity import FLOOR, Examination

Method = Literal["naive", "ips", "lightgbm", "doubly_robust", "expected"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
PARTS = 3
FEWEST = 30
"""Queries with a click to tell by, below which nothing replaces an incumbent."""

Make = Callable[[bool], LambdaMART]
"""A fresh ranker; the argument: whether LightGBM is to learn an effect of the position."""


def labels(method: Method, exposures: Exposures, model: LatentGrades) -> Floats:
    """Shape (n,), ≥ 0: what each pair is taken to be worth, on the scale of click rates at the top.

    What even the least wanted gets there is left in: without it a query of which nothing is wanted
    would be told apart by noise, with the weight of any other.
    """
    if method in ("naive", "lightgbm"):
        shown = exposures.shown.sum(axis=1)
        total = exposures.clicks.sum(axis=1)
        rates = np.divide(total, shown, out=np.zeros(total.size), where=shown > 0)
        return np.asarray(rates, np.float64)
    if method == "expected":
        return model.at_the_top(model.expected)
    slope, offset = model.slope, model.offset
    if method == "ips":
        grades = inverse_rates(exposures, slope, offset, FLOOR)
    else:
        grades = doubly_robust(exposures, model.regressed, slope, offset, FLOOR)
    return np.maximum(model.at_the_top(grades), 0.0)


def fitted(
    method: Method, exposures: Exposures, model: LatentGrades, make: Make, kept: NDArray[np.bool_]
) -> LambdaMART:
    """A ranker trained by `method` on the pairs `kept` (n,).

    Pairs never shown are left out, but of `doubly_robust` and `expected`, which know something of them.
    """
    ranker = make(method == "lightgbm")
    if method not in ("doubly_robust", "expected"):
        kept = kept & exposures.seen
    worth = labels(method, exposures, model)
    ranker.fit(exposures.judged(worth, kept, positions=method == "lightgbm"))
    return ranker


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What held-out clicks say of several methods, each leaning on the incumbent more or less.

    `method` and `weight`: the best pair, (None, 0) where none is better than the incumbent; `values`:
    nDCG@10 by (method, weight), on queries it has not seen; `verdict`: of the best against the
    incumbent.
    """

    method: Method | None
    weight: float
    values: Mapping[tuple[Method, float], float]
    verdict: Verdict


def chosen(
    exposures: Exposures,
    model: LatentGrades,
    make: Make,
    incumbent: NDArray[np.float32],
    methods: Sequence[Method] = METHODS,
    weights: Sequence[float] = WEIGHTS,
    parts: int = PARTS,
) -> Choice:
    """The method, and how far to lean on the incumbent, that order the clicks of other queries best.

    Each is trained `parts` times, without a part of the queries which it then scores; `incumbent`
    (n,) are the scores to lean on and to beat. Only pairs that were shown count, each for the grade to
    be expected from its clicks: what `model` makes of them, so that a model that is wrong misleads
    this too.
    """
    _, query = np.unique(exposures.queries, return_inverse=True)
    clicked = np.bincount(query, exposures.clicks.sum(axis=1)) > 0
    kept = exposures.seen & clicked[query]
    told = exposures.judged(model.at_the_top(model.expected), kept)
    even = Examination.even()
    old = incumbent / spread(incumbent, query)
    scores: dict[tuple[Method, float], NDArray[np.float32]] = {}
    for method in methods:
        new = np.zeros(query.size, np.float32)
        for part in range(parts):
            inside = query % parts == part
            ranker = fitted(method, exposures, model, make, ~inside)
            if ranker.fitted:
                found = ranker.score(exposures.features[inside])
                new[inside] = found / spread(found, query[inside])
        scores |= {(method, weight): (new + weight * old)[kept] for weight in weights}
    values = {key: float(debiased_ndcg(told, found, even).mean()) for key, found in scores.items()}
    best = max(values, key=lambda key: values[key])
    verdict = judge(told, incumbent[kept], scores[best], even, clicked=FEWEST)
    if not verdict.promote or not verdict.difference > 0:
        return Choice(None, 0.0, values, verdict)
    return Choice(best[0], best[1], values, verdict)
