"""Turning the estimated gains of every rung into one plan: the greedy rule, and what a plan costs.

**Cost.** A plan costs the distinct documents it brings. Of generator i's documents at rung l,
the share that generator j (drawn to rung m) has too is overlap[i, l, j, m] / overlap[i, l, i, l];
taking these shares as independent over j, i brings size · ∏_j (1 - overlap / size) new ones. The
product is exact for two generators; for more it errs where the same few documents are shared by
all of them.

**Gain.** `gains` are what a rung brings on its own. Where `successes` are given (share of the clicked
items that both of two rungs bring, over many searches), they are discounted for what is drawn in the
same way: what generator i would bring and j brings already is not gained again. The share of i's
successes that j misses is that of many searches times by how much more or less than then j is expected
to miss now, (1 - gain) / (1 - share): beside a name that one generator surely finds no other is needed.

**Rule.** From nothing drawn, take the upgrade (one generator, from its rung to *any* higher one,
since gains need not be concave) of most gain per new document, as long as that beats the price.
The price only says when to stop, so plans of two prices are two prefixes of one sequence:
a higher price never draws more of any generator.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bandit.base import Depths, Floats

Rungs = NDArray[np.int64]
"""One index into the ladder a generator, shape (s,)."""

DRAWING: Final = 0.05
"""What drawing one document costs, in candidates, where it is new to nobody: drawing takes time,
and an estimated overlap of 100% must not make a rung free."""

SURE: Final = 0.98
"""No rung is taken to bring more of the clicked items than this share."""


def greedy(
    gains: Floats,
    overlap: Floats,
    price: float,
    ladder: Depths,
    successes: Floats | None = None,
) -> Rungs:
    """The greedy plan, as rung indices (s,).

    `gains` (s, L): expected reward of each rung, cumulative (rung 0: 0); `overlap` (s, L, s, L):
    documents expected to be shared, its diagonal overlap[i, l, i, l] what generator i returns at
    rung l; `price` ≥ 0: the reward one more candidate must be worth (0 draws whatever has a
    positive gain, inf nothing). `successes` (s, L, s, L): reward expected to be brought by both of two
    rungs, its diagonal a rung's own; None: gains add up. Ties go to the first generator, then to the
    lowest rung.
    """
    none = np.zeros((gains.shape[0], gains.shape[1], gains.shape[0], gains.shape[1]))
    return _greedy(
        np.ascontiguousarray(gains, np.float64),
        np.ascontiguousarray(overlap, np.float64),
        float(price),
        np.ascontiguousarray(ladder, np.int32),
        none if successes is None else np.ascontiguousarray(successes, np.float64),
    )


def expected_candidates(rungs: Rungs, overlap: Floats) -> float:
    """Distinct documents expected of a plan: each generator, in order, adds what is new by then."""
    return float(
        _candidates(
            np.ascontiguousarray(rungs, np.int64), np.ascontiguousarray(overlap, np.float64)
        )
    )


@njit(cache=True)
def _unshared(overlap: Floats, i: int, rung: int, j: int, other: int) -> float:
    """The share of i's documents at `rung` that j at rung `other` does not bring."""
    size = overlap[i, rung, i, rung]
    if size <= 0.0:
        return 1.0
    return float(min(1.0, max(0.0, 1.0 - overlap[i, rung, j, other] / size)))


@njit(cache=True)
def _share(gain: float) -> float:
    return float(min(max(gain, 0.0), SURE))


@njit(cache=True)
def _greedy(
    gains: Floats,
    overlap: Floats,
    price: float,
    ladder: Depths,
    successes: Floats,
) -> Rungs:
    generators, levels = gains.shape
    rungs = np.zeros(generators, np.int64)
    unshared = np.ones((generators, levels))
    # By how much less or more this search is expected to be missed by a drawn rung than searches are
    # on average: what i brings is lost to j the more often, the surer j is of bringing it itself.
    missing = np.ones(generators)
    ungained = np.ones((generators, levels))
    while True:
        best, best_generator, best_rung = price, -1, -1
        for i in range(generators):
            current = rungs[i]
            # More documents cannot bring fewer new ones, whatever the estimates say: `reach` is
            # a running maximum over the rungs.
            reach = 0.0
            had = 0.0
            for level in range(1, levels):
                reach = max(reach, overlap[i, level, i, level] * unshared[i, level])
                if level == current:
                    had = reach
                if level <= current:
                    continue
                drawn = ladder[level] - ladder[current]
                cost = max(reach - had, DRAWING * drawn)
                gain = (
                    gains[i, level] * ungained[i, level] - gains[i, current] * ungained[i, current]
                )
                ratio = gain / cost
                if ratio > best:
                    best, best_generator, best_rung = ratio, i, level
        if best_generator < 0:
            return rungs
        rungs[best_generator] = best_rung
        expected = successes[best_generator, best_rung, best_generator, best_rung]
        missing[best_generator] = (1.0 - _share(gains[best_generator, best_rung])) / (
            1.0 - _share(expected)
        )
        for i in range(generators):
            if i == best_generator:
                continue
            for level in range(1, levels):
                share = 1.0
                left = 1.0
                for j in range(generators):
                    if j != i and rungs[j] > 0:
                        share *= _unshared(overlap, i, level, j, rungs[j])
                        if successes[i, level, i, level] > 0.0:
                            own = _unshared(successes, i, level, j, rungs[j])
                            left *= min(1.0, missing[j] * own)
                unshared[i, level] = share
                ungained[i, level] = left


@njit(cache=True)
def _candidates(rungs: Rungs, overlap: Floats) -> float:
    total = 0.0
    for i in range(rungs.size):
        if rungs[i] == 0:
            continue
        new = overlap[i, rungs[i], i, rungs[i]]
        for j in range(i):
            if rungs[j] > 0:
                new *= _unshared(overlap, i, rungs[i], j, rungs[j])
        total += new
    return total
