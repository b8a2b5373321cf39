"""The k best rows of many long postings lists, a block of rows at a time.

`maxscore` adds up list by list, in sums that lie all over the memory: where lists are long and no few of them
decide, as with the trigrams of a name, most time goes into waiting for it. Here the sums of a block of
rows stay in the processor's cache while all lists are read as far as the block goes (exhaustive
block-at-a-time evaluation; see Mallia, Siedlaczek & Suel 2019, "An Experimental Study of Index
Compression and DAAT Query Processing Methods", for block-wise processing). Scores are `maxscore`'s,
bit by bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.base import BoolMask, Docs, Scores
from retrievers.postings import Offsets
from retrievers.topk import order, push

BLOCK = 1 << 16
"""Rows of a block: their sums fill a quarter of a megabyte."""
_STRIDE = 64
"""Rows that are compared with the k-th best at once."""
MANY = 8
"""Lists from which on no few of them decide."""
SHARE = 8
"""One posting in so many rows, from which on lists are long."""


def pays(weights: Scores, bounds: NDArray[np.float64], postings: int, count: int) -> bool:
    """Whether lists of `weights` are quicker swept, where they can be; arguments as of `maxscore.search`."""
    many = weights.size >= MANY and postings * SHARE >= count > BLOCK
    return many and bool(np.isfinite(bounds[0])) and float(weights.min()) > 0.0


@njit(nogil=True, cache=True)
def search(
    indptr: Offsets,
    rows: Docs,
    impacts: Scores,
    terms: NDArray[np.int64],
    weights: Scores,
    count: int,
    live: BoolMask,
    allowed: BoolMask,
    docs: Docs,
    scores: Scores,
) -> int:
    """Fill `docs` and `scores` (k,) with the best of `count` rows; how many there are.

    As `maxscore.search`; every impact and weight is above 0, so that a sum of 0 is a row not met.
    """
    sums = np.zeros(BLOCK, np.float32)
    reached = np.empty(terms.size, np.int64)
    for i in range(terms.size):
        reached[i] = indptr[terms[i]]
    size = 0
    least = np.float32(1e-45)  # the k-th best so far, above the 0 of rows not met
    first = 0
    while first < count:
        last = min(first + BLOCK, count)
        below = np.uint32(first)  # an unsigned place is not looked at for being negative
        for i in range(terms.size):
            end = _end(rows, reached[i], indptr[terms[i] + 1], last)
            weight = weights[i]
            for p in range(reached[i], end):
                sums[np.uint32(rows[p]) - below] += weight * impacts[p]
            reached[i] = end
        for stride in range(BLOCK // _STRIDE):
            near = 0
            for sum_ in sums[stride * _STRIDE : (stride + 1) * _STRIDE]:
                near |= int(sum_ >= least)
            if near == 0:
                continue
            for place in range(stride * _STRIDE, (stride + 1) * _STRIDE):
                score, row = sums[place], first + place
                if score < least:
                    continue
                if (live.size and not live[row]) or (allowed.size and not allowed[row]):
                    continue
                size = push(scores, docs, size, score, row)
                if size == scores.size:
                    least = scores[0]
        sums[:] = np.float32(0.0)
        first = last
    order(scores, docs, size)
    return size


@njit(nogil=True, cache=True)
def _end(rows: Docs, low: int, high: int, last: int) -> int:
    """The first place in the ascending rows[low:high] whose row is `last` or above."""
    while low < high:
        middle = (low + high) >> 1
        if rows[middle] < last:
            low = middle + 1
        else:
            high = middle
    return low
