"""What a plan brings of the generators, asked one by one or in full before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Hits


def gather(ask: Callable[[int, int], Hits], depths: NDArray[np.int32], least: int) -> list[Hits]:
    """The hits of a plan; where they are fewer than `least` distinct documents, one generator after
    the other is asked for that many, the deepest drawn first, until there are enough.

    `ask(g, depth)` gives the hits of generator g. Whatever the plan, the page is thus not emptier
    than the catalogue makes it; the plan's propensity is untouched, since the plan decides it all.
    """
    hits = [ask(g, depth) if depth > 0 else Hits.none() for g, depth in enumerate(depths.tolist())]
    found: set[int] = set()
    for one in hits:
        found.update(one.docs[:least].tolist())
    for g in np.argsort(-depths, kind="stable").tolist():
        if len(found) >= least:
            break
        if depths[g] < least:
            hits[g] = ask(g, least)
            found.update(hits[g].docs.tolist())
    return hits


def drawn_of(full: list[Hits], depths: NDArray[np.int32], least: int) -> list[Hits]:
    """What `gather` brings where the full answers are at hand."""
    return gather(lambda g, depth: full[g].top(depth), depths, least)


def appended(hits: Hits, more: Hits) -> Hits:
    """Hits, and behind them those of `more` that are not among them."""
    new = ~np.isin(more.docs, hits.docs)
    return Hits(
        np.concatenate([hits.docs, more.docs[new]]), np.concatenate([hits.scores, more.scores[new]])
    )
