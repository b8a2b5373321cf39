"""What every generator would have brought, asked in full after the fact: the bandit's credit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs, Hits

Floats = NDArray[np.float64]
Ranks = NDArray[np.int32]

TYPES = 8
"""Document types told apart; the rest count as the last."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Full answers of all generators to one search, reduced to what the statistics keep.

    `sizes` (s,): how many each returned; `gaps` (s,): the lead of its first score over its
    second, as a share of the first, in [0, 1]; `shared` (s, L, s, L): documents in common between
    generator i at rung l and j at rung m; `types` (s, T): share of each document type among its
    first ten.
    """

    sizes: Floats
    gaps: Floats
    shared: Floats
    types: Floats


def clicked_ranks(hits: list[Hits], clicked: Docs) -> Ranks:
    """Shape (c, s): the 0-based rank of each clicked row in each generator's answer, -1 if absent."""
    ranks = np.full((clicked.size, len(hits)), -1, np.int32)
    for g, answer in enumerate(hits):
        if len(answer) and clicked.size:
            order = np.argsort(answer.docs, kind="stable")
            place = np.minimum(np.searchsorted(answer.docs, clicked, sorter=order), len(answer) - 1)
            same = answer.docs[order[place]] == clicked
            ranks[same, g] = order[place][same]
    return ranks


def rungs_found(ranks: Ranks, ladder: Ranks) -> NDArray[np.bool_]:
    """Shape (c, s, L): whether each generator at each rung brings the item."""
    found: NDArray[np.bool_] = (ranks[:, :, None] >= 0) & (ranks[:, :, None] < ladder)
    return found


def rung_rewards(ranks: Ranks, weights: Floats, ladder: Ranks) -> Floats:
    """Shape (s, L): weight of the clicked items a rung brings; `ranks` (c, s), `weights` (c,)."""
    rewards: Floats = np.einsum("csl,c->sl", rungs_found(ranks, ladder), weights)
    return rewards


def shared_rewards(ranks: Ranks, weights: Floats, ladder: Ranks) -> Floats:
    """Shape (s, L, s, L): weight of the clicked items that both of two rungs bring."""
    found = rungs_found(ranks, ladder).reshape(weights.size, -1).astype(np.float64)
    both = (found * weights[:, None]).T @ found
    return both.reshape(*(2 * (ranks.shape[1], ladder.size)))


def answers(hits: list[Hits], types: NDArray[np.int16], ladder: Ranks) -> Answers:
    """Reduce full answers; `types` (rows,) are the codes of the catalogue."""
    s, rungs = len(hits), ladder.size
    docs = np.concatenate([h.docs for h in hits]) if hits else np.empty(0, np.int32)
    unique, place = np.unique(docs, return_inverse=True)
    # The first rung that reaches a rank: an item at rank r is in every rung of depth > r.
    reached = np.full((unique.size, s), rungs, np.int64)
    start = 0
    gaps, shares = np.zeros(s), np.zeros((s, TYPES))
    for g, answer in enumerate(hits):
        n = len(answer)
        reached[place[start : start + n], g] = np.searchsorted(ladder, np.arange(n), side="right")
        start += n
        if n:
            first = float(answer.scores[0])
            second = float(answer.scores[1]) if n > 1 else 0.0
            gaps[g] = np.clip((first - second) / first, 0.0, 1.0) if first > 0 else 0.0
            codes = types[answer.docs[:10]]
            known = np.minimum(codes[codes >= 0], TYPES - 1)
            shares[g] = np.bincount(known, minlength=TYPES) / codes.size
    shared = np.zeros((s, rungs, s, rungs))
    for i in range(s):
        for j in range(i, s):
            both = (reached[:, i] < rungs) & (reached[:, j] < rungs)
            counts = np.zeros((rungs, rungs))
            np.add.at(counts, (reached[both, i], reached[both, j]), 1.0)
            shared[i, :, j, :] = counts.cumsum(axis=0).cumsum(axis=1)
            shared[j, :, i, :] = shared[i, :, j, :].T
    sizes = np.array([len(h) for h in hits], np.float64)
    return Answers(sizes=sizes, gaps=gaps, shared=shared, types=shares)


def distinct(hits: list[Hits]) -> int:
    """Documents in any of some hits."""
    return int(np.unique(np.concatenate([h.docs for h in hits])).size) if hits else 0
