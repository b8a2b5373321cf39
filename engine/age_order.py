"""The order by age that a query asks for, as in "their latest album".

A ranker learns it from clicks only where such queries are many; whoever asks for the latest expects it
first from the first day on, as whoever filters expects nothing else. So the page begins with what satisfies
all of the likeliest reading, newest or oldest first, and goes on as ranked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrievers.base import BoolMask, Docs, Hits, Query
from retrievers.query_words import NEWEST, OLDEST, ORDER
from retrievers.structured import Structured
from retrievers.structured_scores import IN_FULL

SURE = 0.5
"""Probability of the likeliest reading from which on the order it asks for is kept."""
FIRST = 10
"""Items that stand first by age, at most."""


def asks_for_age(query: Query) -> bool:
    """Whether the likeliest reading surely asks for the newest or the oldest."""
    likeliest = query.readings[0] if query.readings else None
    return (
        likeliest is not None
        and likeliest.probability >= SURE
        and any(span.field == ORDER and span.value in (NEWEST, OLDEST) for span in likeliest.spans)
    )


def by_age(structured: Structured, query: Query, allowed: BoolMask | None) -> Hits:
    """What satisfies all of the likeliest reading, at most `FIRST`, in the order asked for."""
    likeliest = query.readings[0]
    hits = structured.retrieve(replace(query, readings=(likeliest,)), FIRST, allowed)
    whole = int((hits.scores >= IN_FULL * likeliest.probability * (1.0 - 1e-5)).sum())
    return hits.top(whole)


def in_front(order: NDArray[np.int64], docs: Docs, first: Docs) -> NDArray[np.int64]:
    """`order` over the candidates `docs` with those of `first` before all others, in its order."""
    place = {row: at for at, row in enumerate(docs.tolist())}
    leading = np.array([place[row] for row in first.tolist() if row in place], np.int64)
    return np.concatenate([leading, order[~np.isin(order, leading)]])
