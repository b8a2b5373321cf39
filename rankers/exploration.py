"""Exploration in a ranking: what the log says about positions and items nobody would have seen.

Two ways, each with a bound on what it costs, in the position-based model: where an item at position
j is worth examination[j] times its chance to be wanted, in [0, 1], and nothing below the page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats
from rankers.propensity import Examination

Order = NDArray[np.int64]
PAGE = 10
"""Places that are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Explored:
    """An order (n,) of items, best first, and the probability with which it was drawn.

    `swap`: the two places (0-based) that changed items, None where the order is as it was.
    """

    order: Order
    propensity: float
    swap: tuple[int, int] | None = None


def swapped(
    order: Order, examination: Examination, loss: float, rng: np.random.Generator, page: int = PAGE
) -> Explored:
    """`order`, at times with two of its items changed for each other.

    Half of the swaps are of neighbours in the upper half of the page, down to the first place of the
    lower, so that every position is compared with the next; half of a place in the lower half with
    one further down, up to a page below its end, so that what is never shown is. A swap of places i < j
    costs at most examination[i] - examination[j] (0 below the page), whatever the two are worth. Swaps
    are made as often as keeps the mean cost at `loss` times the page's examination: the most that
    clicks can fall by, as a share of those on a page of wanted items. What is drawn depends on the
    first 2 · `page` items alone; a page cut shorter is the beginning of it.
    """
    if not 0.0 <= loss <= 1.0:
        raise ValueError(f"loss: found {loss}, expected a share between 0 and 1")
    upper = min(order.size, 2 * page)
    further = [(i, j) for i in range(page // 2, min(page, upper)) for j in range(i + 1, upper)]
    if not further or loss == 0.0:
        return Explored(order, 1.0)
    next_to = [(i, i + 1) for i in range(page // 2)]
    parts = (next_to, further) if next_to else (further,)
    looked = np.zeros(2 * page)
    looked[:page] = examination.of(np.arange(1, page + 1, dtype=np.int32))
    costs = [np.mean([max(looked[i] - looked[j], 0.0) for i, j in pairs]) for pairs in parts]
    cost = float(np.mean(costs))
    often = min(1.0, loss * float(looked.sum()) / cost) if cost > 0.0 else 1.0
    if rng.random() >= often:
        return Explored(order, 1.0 - often)
    pairs = parts[int(rng.integers(len(parts)))]
    i, j = pairs[int(rng.integers(len(pairs)))]
    changed = order.copy()
    changed[i], changed[j] = order[j], order[i]
    return Explored(changed, often / len(parts) / len(pairs), (i, j))


def within_loss(
    order: Order,
    wanted: Order,
    worth: Floats,
    examination: Examination,
    loss: float,
    page: int = PAGE,
) -> Order:
    """`order` moved towards `wanted` as far as its page keeps 1 - `loss` of its expected clicks.

    `wanted` (n,): the same items in an order drawn for what it teaches; `worth` (n,): by item, the
    chance to be wanted as far as is known. From the top, each item of `wanted` takes its place where the
    page as a whole still earns enough; what is shown is thus never worse by more than `loss`, as far
    as `worth` is right.
    """
    if not 0.0 <= loss <= 1.0:
        raise ValueError(f"loss: found {loss}, expected a share between 0 and 1")
    size = min(page, order.size)
    looked = examination.of(np.arange(1, size + 1, dtype=np.int32))
    enough = (1.0 - loss) * float(looked @ worth[order[:size]]) - 1e-12
    made = order.tolist()
    for place, item in enumerate(wanted[:size].tolist()):
        if made[place] == item:
            continue
        at = made.index(item)
        tried = [*made[:at], *made[at + 1 :]]
        tried.insert(place, item)
        if float(looked @ worth[np.array(tried[:size])]) >= enough:
            made = tried
    return np.array(made, np.int64)
