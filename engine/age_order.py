"""The order by age that a query asks for, as in "their latest album", and its years, as in "from the 80s".

A ranker learns it from clicks only where such queries are many; whoever asks for the latest expects it
first from the first day on, as whoever filters expects nothing else. So the page begins with what satisfies
all of the likeliest reading, newest or oldest first, and goes on as ranked. Where years are asked for, what
is of them, and of the kind asked for, stands before all else, each part as ranked.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs, Hits, Query, Reading
from retrievers.query_words import NEWEST, OLDEST, ORDER, YEAR
from retrievers.structured import Structured
from retrievers.structured_scores import IN_FULL

AGES = (NEWEST, OLDEST)
SURE = 0.5
"""Probability of readings that ask for an order or for years from which on these are kept."""
ROUNDING = 1e-5
"""By what share scores may be rounded."""
FIRST = 10
"""Items that stand first by age or years, at most."""


def asking_first(query: Query, *, named: bool) -> Query | None:
    """The query with its likeliest reading alone, where that asks for the newest or the oldest, or for years,
    as readings of probability `SURE` in all do. `named`: something is called exactly as the query, which is
    then no question of years ("1999")."""
    by_age = _asking(query, ORDER, AGES)
    return by_age if by_age is not None or named else _asking(query, YEAR)


def _asking(query: Query, field: str, values: Collection[str] = ()) -> Query | None:
    """`values`: those that count; none given, all do."""
    likeliest = query.readings[0] if query.readings else None
    asked = None if likeliest is None else _value(likeliest, field)
    if likeliest is None or asked is None or (values and asked not in values):
        return None
    sure = sum(one.probability for one in query.readings if _value(one, field) == asked) >= SURE
    return replace(query, readings=(likeliest,)) if sure else None


def _value(reading: Reading, field: str) -> str | None:
    return next((span.value for span in reading.spans if span.field == field), None)


def in_full(hits: Hits, asked: Query) -> Hits:
    """What satisfies all of the one reading of `asked`, of the generator structured's answer to it; nothing
    where an order by age is asked for and the age of none is known."""
    least = IN_FULL * asked.readings[0].probability
    ordered = _value(asked.readings[0], ORDER) in AGES
    if ordered and not (len(hits) and hits.scores[0] > least * (1.0 + ROUNDING)):
        return Hits.none()
    return hits.top(int((hits.scores >= least * (1.0 - ROUNDING)).sum()))


def put_first(
    order: NDArray[np.int64], docs: Docs, first: Docs, asked: Query, structured: Structured
) -> NDArray[np.int64]:
    """`order` over the candidates `docs` as `asked` wants it; `first`: see `in_full`."""
    reading = asked.readings[0]
    if _value(reading, ORDER) in AGES:
        return in_front(order, docs, first)
    meets = structured.meets(reading, docs)[order]
    return np.concatenate([order[meets], order[~meets]])


def in_front(order: NDArray[np.int64], docs: Docs, first: Docs) -> NDArray[np.int64]:
    """`order` over the candidates `docs` with those of `first` before all others, in its order."""
    place = {row: at for at, row in enumerate(docs.tolist())}
    leading = np.array([place[row] for row in first.tolist() if row in place], np.int64)
    return np.concatenate([leading, order[~np.isin(order, leading)]])
