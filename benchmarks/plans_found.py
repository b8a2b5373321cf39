"""Plans found by looking: the best single plan for many searches, the cheapest for one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from benchmarks.walk import Asked
from engine.errors import BadInput
from engine.gathering import drawn_of
from engine.hindsight import distinct
from retrievers.base import Docs, Hits
from retrievers.candidates import union

Ranks = NDArray[np.int32]
Floats = NDArray[np.float64]
BLOCK = 1000
"""Searches whose candidates are held at a time."""
MOST_PLANS = 2**24
"""Plans that can be looked through: eight generators with eight rungs."""


def best_plan(asked: Iterable[Asked], ladder: Ranks, budget: float) -> Ranks:
    """Depths (s,) on the ladder, of the highest mean recall with at most `budget` candidates in the
    mean, before topping up; exact. Among equals the cheapest.

    Recall and cost of every plan come from one histogram: a document whose generators reach it at
    rungs (r1 … rs) is missed by a plan (l1 … ls) where r > l in all of them, and sums over such
    corners are running sums along each axis. Searches stream through; BadInput where there is none.
    """
    waiting = iter(asked)
    block = list(islice(waiting, BLOCK))
    if not block:
        raise BadInput("best_fixed: found no search to choose a plan by")
    s, rungs, count = len(block[0].hits), len(ladder), 0
    if rungs**s > MOST_PLANS:
        raise BadInput(
            f"best_fixed: found {s} generators with {rungs} rungs, {rungs**s:,} plans; at most "
            f"{MOST_PLANS:,} can be looked through. Leave the system out or shorten the ladder"
        )
    missed, unspent = np.zeros(rungs**s), np.zeros(rungs**s)
    while block:
        cells, wanted = zip(*(_cells(one, ladder) for one in block), strict=True)
        cell = np.concatenate(cells)
        missed += np.bincount(cell, np.concatenate(wanted), rungs**s)
        unspent += np.bincount(cell, minlength=rungs**s)
        count += len(block)
        block = list(islice(waiting, BLOCK))
    found, cost = (_brought(table.reshape(s * (rungs,))) for table in (missed, unspent))
    allowed = cost <= budget * count + 1e-9
    best = found[allowed].max()
    # Sums of shares: equal up to rounding is equal.
    equals = allowed & (found >= best - 1e-9 * max(best, 1.0))
    chosen = np.where(equals, cost, np.inf).argmin()
    return np.asarray(ladder[np.array(np.unravel_index(chosen, found.shape))], np.int32)


def _cells(asked: Asked, ladder: Ranks) -> tuple[NDArray[np.int64], Floats]:
    """Per candidate: its cell, the rungs at which each generator reaches it; the share that it is of
    the search's wanted rows."""
    s, rungs = len(asked.hits), len(ladder)
    candidates = union([""] * s, [0] * s, asked.hits)
    reached = np.searchsorted(ladder, candidates.ranks, side="right") - 1
    reached[(candidates.ranks < 0) | (reached >= rungs)] = rungs - 1  # by no rung
    cells = np.ravel_multi_index(tuple(reached.T), s * (rungs,))
    wanted = np.isin(candidates.docs, asked.wanted) / max(asked.wanted.size, 1)
    return cells.astype(np.int64), wanted


def _brought(table: Floats) -> Floats:
    """From a histogram over cells, what each plan brings of it."""
    missed = np.flip(table)
    for axis in range(table.ndim):
        missed = missed.cumsum(axis=axis)
    return np.asarray(table.sum() - np.flip(missed), np.float64)


def _with(depths: Ranks, g: int, depth: int) -> Ranks:
    changed = depths.copy()
    changed[g] = depth
    return changed


def cheapest_cover(hits: list[Hits], wanted: Docs, ladder: Ranks) -> Ranks:
    """Depths (s,) on the ladder that bring every wanted row that any generator has.

    Greedy by rows won per new candidate, then each depth lowered as far as it goes; few wanted rows
    make that the cheapest plan or close to it.
    """
    ranks = np.full((wanted.size, len(hits)), np.iinfo(np.int32).max, np.int64)
    for g, hit in enumerate(hits):
        rows, places = np.nonzero(wanted[:, None] == hit.docs[None, :])
        ranks[rows, g] = places
    ranks = ranks[(ranks < ladder[-1]).any(axis=1)]
    depths = np.zeros(len(hits), np.int32)
    while not (covered := (ranks < depths).any(axis=1)).all():
        best, choice = 0.0, depths
        had = distinct(drawn_of(hits, depths, 0))
        for g in range(len(hits)):
            for depth in ladder[ladder > depths[g]]:
                won = int((ranks[~covered, g] < depth).sum())
                if won:
                    tried = _with(depths, g, depth)
                    gain = won / max(distinct(drawn_of(hits, tried, 0)) - had, 0.5)
                    if gain > best:
                        best, choice = gain, tried
        depths = choice
    for g in range(len(hits)):
        for depth in ladder[ladder < depths[g]]:
            tried = _with(depths, g, depth)
            if (ranks < tried).any(axis=1).all():
                depths = tried
                break
    return depths
