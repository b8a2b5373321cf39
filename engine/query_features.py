"""What can be told of a query before any generator runs: its kind, and the bandit's context."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.names import Names, name_hash
from engine.statistics import PlanStatistics
from engine.topics import TOPICS, Topics
from retrievers.analysis import normalise
from retrievers.base import Docs, Query, Reading, Scores
from retrievers.bm25 import BM25
from retrievers.field_names import TITLE
from retrievers.query_words import WORD

X_NAMES = (
    "words", "chars", "latin", "digits", "is_name", "names", "is_value",
    "read_names", "read_values", "unknown_words",
    "rarest_word", "commonest_word", "times_seen", "clicks_seen", "user_known", "user_searches",
    "user_clicks", "weekend", "day_sin", "day_cos", "hour_sin", "hour_cos", "turns",
    *("nearest_name", "nearest_leads", "nearest_leads_fifth"),
    *(f"user_topic_{i}" for i in range(TOPICS)),
)  # fmt: skip
"""The bandit's context features, about unit scale."""
NEAR = (0.5, 0.65, 0.8, 0.92)
"""Nearness of the nearest name that part texts into kinds: most typed names are beyond the last but one,
most topics below the second."""
MOSTLY = 0.5
"""From what probability on a text is read as values of fields."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryFacts:
    """`kind` groups queries that want the same plan: "name:track/new/user" for exactly the name of a
    track, for others by how near the nearest name is "value~0/…", where they are or are mostly read as values of
    fields, or "text~3/…"; `key` is the
    normalised text; `x` (d,) has the columns of `X_NAMES`; `named` are rows of exactly that title;
    `at_most` (s,): what each generator can return, inf where it is not known; `described`: several words that no
    name is like, and no field's value: they say what is wanted, not what it is called."""

    kind: str
    key: str
    hashed: int
    named: Docs
    x: NDArray[np.float64]
    at_most: NDArray[np.float64]
    described: bool


def query_facts(
    query: Query,
    names: Names,
    type_of: NDArray[np.int16],
    type_names: tuple[str, ...],
    words: BM25 | None,
    statistics: PlanStatistics,
    topics: Topics,
    at_most: NDArray[np.float64],
    near: Scores,
) -> QueryFacts:
    """`words` gives document frequencies where there is a BM25 generator; `near`, of the nearest names,
    is empty where nobody knows."""
    text, user = query.text, query.context.user
    key = normalise(text)
    hashed = name_hash(text)
    named = names.rows(hashed) if key else np.empty(0, np.int32)
    is_value = bool(key) and names.is_value(hashed)
    read_names, read_values = _read_as(query.readings, {*type_names, TITLE})
    found = words.document_frequency(text) if words is not None else np.empty(0, np.int32)
    unknown = float((found == 0).mean()) if found.size else 0.0
    rarity = 1.0 - np.log1p(found) / math.log(2.0 + names.titles.size)
    seen, clicks = statistics.queries.counts(key)
    searches, clicked = (0.0, 0.0) if user is None else statistics.users.counts(user)
    first, second, fifth = (float(near[i]) if near.size > i else 0.0 for i in (0, 1, 4))
    if not key:
        entity = "empty"
    elif named.size:
        codes = np.unique(type_of[named])
        shared = codes.size > 1 or codes[0] < 0
        entity = "name:several" if shared else f"name:{type_names[codes[0]]}"
    else:
        values = is_value or read_values >= MOSTLY
        entity = f"{'value' if values else 'text'}~{np.searchsorted(NEAR, first, side='right')}"
    kind = f"{entity}/{'seen' if clicks > 0 else 'new'}/{'user' if searches > 0 or topics.knows(user) else 'anyone'}"
    letters = [c for c in text if c.isalpha()]
    latin = sum(c.isascii() or "LATIN" in unicodedata.name(c, "") for c in letters)
    latin_share = latin / max(len(letters), 1)
    time = query.context.time
    hour = 0.0 if time is None else 2.0 * math.pi * (time.hour + time.minute / 60.0) / 24.0
    day = 0.0 if time is None else 2.0 * math.pi * time.weekday() / 7.0
    x = np.array(
        [
            len(key.split()) / 5.0, min(len(text), 100) / 30.0, latin_share,
            float(any(c.isdigit() for c in text)), float(named.size > 0),
            math.log1p(named.size), float(is_value), read_names, read_values, unknown,
            float(rarity.max()) if rarity.size else 0.0,
            float(rarity.min()) if rarity.size else 0.0,
            math.log1p(seen) / 3.0, math.log1p(clicks) / 3.0, float(user is not None),
            math.log1p(searches) / 5.0, math.log1p(clicked) / 5.0,
            float(time is not None and time.weekday() >= 5), math.sin(day), math.cos(day),
            math.sin(hour), math.cos(hour), float(bool(query.context.turns)),
            first, first - second, first - fifth, *topics.shares(user),
        ]
    )  # fmt: skip
    described = " " in key and near.size > 0 and first < NEAR[0] and not named.size and not is_value
    return QueryFacts(
        kind=kind, key=key, hashed=hashed, named=named, x=x, at_most=at_most, described=described
    )


def _read_as(readings: Sequence[Reading], own: Set[str]) -> tuple[float, float]:
    """(how probably a text names documents, how probably it says nothing but values of their fields): the share of
    readings with a field of `own` names, and of those with no such and no mere word."""
    named = valued = 0.0
    for reading in readings:
        fields = {span.field for span in reading.spans}
        if fields & own:
            named += reading.probability
        elif fields and WORD not in fields:
            valued += reading.probability
    return named, valued
