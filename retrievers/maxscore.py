"""The k best rows of a few postings lists, without reading lists that cannot change the answer.

Lists are added up rarest first. As soon as the k-th best sum exceeds what all remaining lists
could give together, a row not met yet cannot enter: the remaining lists are then only looked up
for rows that still can. The answer is that of adding everything up (H. Turtle and J. Flood, "Query
evaluation: strategies and optimizations", Information Processing and Management 31(6), 1995). A
row's impacts are always added in the same order, so its score depends on neither k nor masks.
"""

from __future__ import annotations

import threading

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.base import BoolMask, Docs, Scores
from retrievers.postings import Offsets
from retrievers.topk import order, push

_WORTH = 4096
"""Postings that must remain for a check to be cheaper than reading them."""
_LOOKUP = 32
"""Postings that are read in the time of one look-up."""
_SLACK = 1e-5
"""More than float32 sums err by, relative to their size."""
_scratch = threading.local()


def scratch(rows: int) -> tuple[Scores, Docs]:
    """This thread's sums (all NaN = row not met; `search` leaves them so) and list of rows met."""
    buffers: tuple[Scores, Docs] | None = getattr(_scratch, "buffers", None)
    if buffers is None or buffers[0].size < rows:
        size = rows + rows // 8
        buffers = np.full(size, np.nan, np.float32), np.empty(size + 1, np.int32)
        _scratch.buffers = buffers
    return buffers


@njit(nogil=True, cache=True)
def peaks(indptr: Offsets, impacts: Scores) -> Scores:
    """The highest impact of each list; infinite where one is not above 0, so that it bounds nothing."""
    highest = np.zeros(indptr.size - 1, np.float32)
    for term in range(highest.size):
        for p in range(indptr[term], indptr[term + 1]):
            highest[term] = max(highest[term], impacts[p] if impacts[p] > 0 else np.inf)
    return highest


@njit(nogil=True, cache=True)
def _find(rows: Docs, low: int, high: int, row: int) -> int:
    """Where `row` is in the ascending rows[low:high], -1 where it is not."""
    end = high
    while low < high:
        middle = (low + high) >> 1
        if rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low if low < end and rows[low] == row else -1


@njit(nogil=True, cache=True)
def look_up(
    rows: Docs, impacts: Scores, low: int, high: int, weight: float, docs: Docs, scores: Scores
) -> None:
    """Add `weight` times what the list [low:high] has for each of `docs` (n,) to `scores` (n,)."""
    for i in range(docs.size):
        p = _find(rows, low, high, docs[i])
        if p >= 0:
            scores[i] += weight * impacts[p]


@njit(nogil=True, cache=True)
def _rank(
    sums: Scores,
    met: Docs,
    live: BoolMask,
    allowed: BoolMask,
    prior: Scores,
    docs: Docs,
    scores: Scores,
) -> int:
    """Fill the heap from the rows met; its size."""
    size = 0
    for row in met:
        score = sums[row]
        if prior.size:
            score += prior[row]
        if size == scores.size and score < scores[0]:
            continue
        if (live.size == 0 or live[row]) and (allowed.size == 0 or allowed[row]):
            size = push(scores, docs, size, score, row)
    return size


@njit(nogil=True, cache=True)
def search(
    indptr: Offsets,
    rows: Docs,
    impacts: Scores,
    terms: NDArray[np.int64],
    weights: Scores,
    bounds: NDArray[np.float64],
    prior_peak: float,
    live: BoolMask,
    allowed: BoolMask,
    prior: Scores,
    sums: Scores,
    met: Docs,
    docs: Docs,
    scores: Scores,
) -> int:
    """Fill `docs` and `scores` (k,) with the best rows; how many there are.

    `terms`: lists to add, shortest first, with `weights` ≥ 0; `bounds` (terms + 1,): the most that
    lists i and later can give a row together (see `peaks`). `prior` ≤ `prior_peak` is added to the
    score of every row met. Empty `live` and `allowed` mean every row, an empty `prior` none.
    """
    n = 0
    left = 0
    for term in terms:
        left += indptr[term + 1] - indptr[term]
    done = 0
    while done < terms.size:
        if n >= scores.size and left > _WORTH + n and bounds[done] < np.inf:
            size = _rank(sums, met[:n], live, allowed, prior, docs, scores)
            if size == scores.size and scores[0] > (bounds[done] + prior_peak) * (1 + _SLACK):
                break
        term, weight = terms[done], weights[done]
        for p in range(indptr[term], indptr[term + 1]):
            row = rows[p]
            gain = weight * impacts[p]
            old = sums[row]
            is_new = np.isnan(old)
            met[n] = row
            n += is_new
            sums[row] = gain if is_new else old + gain
        left -= indptr[term + 1] - indptr[term]
        done += 1
    kept = n
    if done < terms.size:
        # Rows that even all that is left would not lift to the k-th best so far drop out.
        threshold = scores[0] - bounds[done] - _SLACK * (bounds[done] + scores[0])
        kept = 0
        for i in range(n):
            row = met[i]
            reach = sums[row] + (prior[row] if prior.size else np.float32(0))
            if reach >= threshold:
                met[i], met[kept] = met[kept], row
                kept += 1
        for i in range(done, terms.size):
            term, weight = terms[i], weights[i]
            start, end = indptr[term], indptr[term + 1]
            if kept * _LOOKUP < end - start:
                for row in met[:kept]:
                    p = _find(rows, start, end, row)
                    if p >= 0:
                        sums[row] += weight * impacts[p]
            else:
                for p in range(start, end):
                    sums[rows[p]] += weight * impacts[p]  # NaN, not met, stays NaN
    size = _rank(sums, met[:kept], live, allowed, prior, docs, scores)
    for row in met[:n]:
        sums[row] = np.nan
    order(scores, docs, size)
    return size
