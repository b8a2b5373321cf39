"""The order by age that a query asks for, as in "their latest album".

A ranker learns it from clicks only where such queries are many; whoever asks for the latest expects it
first from the first day on, as whoever filters expects nothing else. So the page begins with what satisfies
all of the likeliest reading, newest or oldest first, and goes on as ranked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs, Hits, Query
from retrievers.query_words import NEWEST, OLDEST, ORDER
from retrievers.structured_scores import IN_FULL

SURE = 0.5
"""Probability of the likeliest reading from which on the order it asks for is kept."""
FIRST = 10
"""Items that stand first by age, at most."""


def asking_by_age(query: Query) -> Query | None:
    """The query with its likeliest reading alone, where that surely asks for the newest or the oldest."""
    likeliest = query.readings[0] if query.readings else None
    if likeliest is None or likeliest.probability < SURE:
        return None
    if not any(s.field == ORDER and s.value in (NEWEST, OLDEST) for s in likeliest.spans):
        return None
    return replace(query, readings=(likeliest,))


def in_full(hits: Hits, asked: Query) -> Hits:
    """What satisfies all of the one reading of `asked`, of the generator structured's answer to it."""
    least = IN_FULL * asked.readings[0].probability * (1.0 - 1e-5)  # less a rounding
    return hits.top(int((hits.scores >= least).sum()))


def in_front(order: NDArray[np.int64], docs: Docs, first: Docs) -> NDArray[np.int64]:
    """`order` over the candidates `docs` with those of `first` before all others, in its order."""
    place = {row: at for at, row in enumerate(docs.tolist())}
    leading = np.array([place[row] for row in first.tolist() if row in place], np.int64)
    return np.concatenate([leading, order[~np.isin(order, leading)]])
