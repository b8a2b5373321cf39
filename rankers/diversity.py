"""Pages that serve what else a query may mean: MMR, xQuAD and PM-2, over arrays.

n items; a interpretations (aspects) of the query. `relevance` (n,) in [0, 1]; `coverage` (n, a) in
[0, 1]: how surely an item serves who means that; `shares` (a,) ≥ 0, of sum 1: how probable each is.
`trade` in [0, 1]: what diversity counts beside relevance; 0: the order of relevance. Each returns
the first `page` items, best first; ties go to the first item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats

Order = NDArray[np.int64]


def mmr(relevance: Floats, coverage: Floats, shares: Floats, trade: float, page: int) -> Order:
    """Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): relevance less the largest
    likeness to an item that stands above.

    Two items are alike by how much of `coverage` they share, weighed by `shares`: the cosine.
    """
    _check(relevance, coverage, shares, trade)
    weighed = coverage * np.sqrt(shares)
    norms = np.linalg.norm(weighed, axis=1)
    unit = np.divide(weighed, norms[:, None], out=np.zeros_like(weighed), where=norms[:, None] > 0)
    nearest = np.zeros(relevance.size)

    def gain(last: int | None) -> Floats:
        if last is not None:
            np.maximum(nearest, unit @ unit[last], out=nearest)
        return (1.0 - trade) * relevance - trade * nearest

    return _greedy(relevance.size, page, gain)


def xquad(relevance: Floats, coverage: Floats, shares: Floats, trade: float, page: int) -> Order:
    """xQuAD (Santos, Macdonald and Ounis, WWW 2010, equations 1 to 5): beside relevance, how probable
    it is that an item serves somebody whom nothing above has served.

    An item serves an interpretation with probability relevance · coverage.
    """
    _check(relevance, coverage, shares, trade)
    serves = relevance[:, None] * coverage
    unserved = shares.astype(np.float64)

    def gain(last: int | None) -> Floats:
        if last is not None:
            np.multiply(unserved, 1.0 - serves[last], out=unserved)
        return (1.0 - trade) * relevance + trade * (serves @ unserved)

    return _greedy(relevance.size, page, gain)


def pm2(relevance: Floats, coverage: Floats, shares: Floats, trade: float, page: int) -> Order:
    """PM-2 (Dang and Croft, SIGIR 2012, section 4.2): places are given to interpretations as seats to
    parties, by Sainte-Laguë's quotients, and each to the item that serves its holder best.

    `trade` is 1 - the paper's weight of the other interpretations; with 0 the order is relevance's,
    which the paper does not have.
    """
    _check(relevance, coverage, shares, trade)
    if trade == 0.0 or shares.size == 0:
        return np.argsort(-relevance, kind="stable")[:page].astype(np.int64)
    serves = relevance[:, None] * coverage
    total = serves.sum(axis=1, keepdims=True)
    seat = np.divide(serves, total, out=np.zeros_like(serves), where=total > 0)
    seats = np.zeros(shares.size)

    def gain(last: int | None) -> Floats:
        if last is not None:
            np.add(seats, seat[last], out=seats)
        quotient = shares / (2.0 * seats + 1.0)
        holder = int(np.argmax(quotient))
        own = quotient[holder] * serves[:, holder]
        return np.asarray(trade * own + (1.0 - trade) * (serves @ quotient - own), np.float64)

    return _greedy(relevance.size, page, gain)


Diversify = Callable[[Floats, Floats, Floats, float, int], Order]
METHODS: Final[Mapping[str, Diversify]] = {"mmr": mmr, "xquad": xquad, "pm2": pm2}


def unserved_by_the_first(order: Order, coverage: Floats, shares: Floats) -> float:
    """How ambiguous a query is, in [0, 1]: the share of what may be meant that the first item of an
    order leaves out. 0 where there is no item or nothing may be meant."""
    if order.size == 0 or shares.size == 0:
        return 0.0
    return float(np.clip(1.0 - coverage[order[0]] @ shares, 0.0, 1.0))


def _greedy(items: int, page: int, gain: Callable[[int | None], Floats]) -> Order:
    """Item after item, each of the largest gain; `gain` is told which was taken last."""
    left = np.ones(items, np.bool_)
    taken: list[int] = []
    for _ in range(min(page, items)):
        values = np.where(left, gain(taken[-1] if taken else None), -np.inf)
        taken.append(int(np.argmax(values)))
        left[taken[-1]] = False
    return np.array(taken, np.int64)


def _check(relevance: Floats, coverage: Floats, shares: Floats, trade: float) -> None:
    n = relevance.size
    if relevance.ndim != 1 or coverage.shape != (n, shares.size):
        raise ValueError(
            f"relevance, coverage, shares: found shapes {relevance.shape}, {coverage.shape} and "
            f"{shares.shape}, expected (n,), (n, a) and (a,)"
        )
    for name, values in (("relevance", relevance), ("coverage", coverage), ("shares", shares)):
        if values.size and not (values.min() >= 0.0 and values.max() <= 1.0 + 1e-9):
            raise ValueError(f"{name}: found {values.min()} to {values.max()}, expected 0 to 1")
    if not 0.0 <= trade <= 1.0:
        raise ValueError(f"trade: found {trade}, expected a number from 0 to 1")
