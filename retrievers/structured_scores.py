"""From clauses to rows: what satisfies most of a reading, compiled."""

from __future__ import annotations

import threading
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.base import BoolMask, Docs, Scores
from retrievers.postings import Offsets
from retrievers.topk import order, push

Floats: TypeAlias = NDArray[np.float32]
IN_FULL = 0.75
"""The least that a row scores which satisfies all of a reading, as a share of the reading's probability."""
_scratch = threading.local()


def forget() -> None:
    """Make this thread's buffers anew, where what used them did not come to its end."""
    _scratch.buffers = None


def scratch(rows: int) -> tuple[Scores, Scores, Docs, Docs]:
    """This thread's sums of a reading and of all (zero between uses), and the rows met in each."""
    buffers: tuple[Scores, Scores, Docs, Docs] | None = getattr(_scratch, "buffers", None)
    if buffers is None or buffers[0].size < rows:
        size = rows + rows // 8
        buffers = (
            np.zeros(size, np.float32),
            np.zeros(size, np.float32),
            np.empty(size, np.int32),
            np.empty(size, np.int32),
        )
        _scratch.buffers = buffers
    return buffers


@njit(nogil=True, cache=True)
def collect(
    starts: Offsets,
    rows: Docs,
    gains: Scores,
    excluded: NDArray[np.int8],
    weight: float,
    kind: int,
    low: float,
    high: float,
    types: NDArray[np.int16],
    years: Floats,
    ordering: Floats,
    base: float,
    scale: float,
    sums: Scores,
    totals: Scores,
    met: Docs,
    every: Docs,
    size: int,
) -> int:
    """Add one reading's scores to `totals`; how many rows are in `every` now, `size` before.

    Clause c has rows[starts[c]:starts[c + 1]] with what each gains, or drops them where it is
    `excluded`. `weight`: the reading's, over the square of all clauses' gains. `kind`: the type a row
    must have, -1 for any, -2 - kind for any other; `low` and `high`: its years, NaN for any. Among
    equals comes first what has the most of (`ordering` (rows,) - base) x scale, in [0, 1].
    """
    count = 0
    clauses = starts.size - 1
    positive = 0
    for clause in range(clauses):
        if not excluded[clause]:
            positive += 1
            for p in range(starts[clause], starts[clause + 1]):
                row = rows[p]
                if sums[row] == 0.0:
                    met[count] = row
                    count += 1
                sums[row] += gains[p]
    if positive == 0:
        for row in range(types.size):
            met[count] = row
            sums[row] = 1.0
            count += 1
    for clause in range(clauses):
        if excluded[clause]:
            for p in range(starts[clause], starts[clause + 1]):
                if sums[rows[p]] > 0.0:
                    sums[rows[p]] = -1.0
    for i in range(count):
        row = met[i]
        got = sums[row]
        sums[row] = 0.0
        if (
            got <= 0.0
            or (kind >= 0 and types[row] != kind)
            or (kind <= -2 and types[row] == -2 - kind)
        ):
            continue
        if not np.isnan(low) and not (low <= years[row] < high):
            continue
        if totals[row] == 0.0:
            every[size] = row
            size += 1
        first = (ordering[row] - base) * scale
        first = 0.0 if np.isnan(first) else min(max(first, 0.0), 1.0)
        totals[row] += weight * got * got * (IN_FULL + (1.0 - IN_FULL) * first)
    return size


@njit(nogil=True, cache=True)
def select(
    totals: Scores,
    every: Docs,
    size: int,
    live: BoolMask,
    allowed: BoolMask,
    docs: Docs,
    scores: Scores,
) -> int:
    """The best live and allowed rows of `every`, best first, into `docs` and `scores`; how many.

    `allowed` (rows,), or empty for all. `totals` is left at zero.
    """
    found = 0
    for i in range(size):
        row = every[i]
        if live[row] and (allowed.size == 0 or allowed[row]):
            found = push(scores, docs, found, totals[row], row)
        totals[row] = 0.0
    order(scores, docs, found)
    return found
