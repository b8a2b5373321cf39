"""What else a query may mean, as its candidates and the log tell, and an order that serves that too.

A meaning is a kind of item by one creator, as a track by some artist, or a topic, as a genre: whatever
the fields of the candidates name. How probable it is follows from the ranker's scores, taken as
log-odds, and from what was clicked for the query before. Where the first item leaves out most of what
may be meant, the query is ambiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.config import EngineConfig
from engine.query_features import QueryFacts
from engine.ranking_features import column_names
from engine.state import State
from engine.topics import FIELDS
from rankers.base import Floats
from rankers.diversity import METHODS, unserved_by_the_first
from rankers.exploration import PAGE
from retrievers.base import Document

CREATORS = ("artist", "author", "creator", "director", "brand", "publisher")
POOL = 100
"""Candidates, the best, of which a page is made, besides those clicked for the query before."""
FEW = 10
"""Items, the most probable, that are looked at first."""
LEAST = 0.01
"""Share below which a meaning is left out."""
ASSUMED = 5.0
"""Clicks on the query that the ranker's own opinion of its meanings is worth."""
AMBIGUOUS = 0.4
"""Share of what may be meant that the first item leaves out, from which on a page is diversified."""
TRADE = 2.0
"""What diversity counts, as a multiple of that share, at most 1."""
FLATTER = 4.0
"""By what log-odds are divided before relevance is traded: one item of a meaning is nearly as good as
another, and those of a less probable one must not look worthless."""
DEEPER = 100
"""Items that memory is asked for where a query is ambiguous: what was clicked tells what is meant."""


@dataclass(frozen=True, slots=True, eq=False)
class Meanings:
    """`names` (a,) and `shares` (a,) of the meanings; `coverage` (m, a): which of the candidates `best`
    (m,) serve them, the best first; `ambiguity`: see `unserved_by_the_first`."""

    best: NDArray[np.int64]
    names: tuple[str, ...]
    shares: Floats
    coverage: Floats
    ambiguity: float

    @property
    def ambiguous(self) -> bool:
        """Whether a page should serve more than the likeliest."""
        return self.ambiguity >= AMBIGUOUS

    def told(self) -> dict[str, float]:
        """The likeliest meanings of an ambiguous query, the likeliest first, with their shares."""
        if not self.ambiguous:
            return {}
        order = np.argsort(-self.shares, kind="stable")[:PAGE].tolist()
        return {self.names[i]: float(self.shares[i]) for i in order}


Served = tuple[Sequence[str], Sequence[str]]
"""The meanings that an item serves: its kind by its creator, and its topics."""
NOTHING = Meanings(np.empty(0, np.int64), (), np.empty(0), np.empty((0, 0)), 0.0)


def open_to_meanings(
    state: State, config: EngineConfig, facts: QueryFacts, user: str | None
) -> bool:
    """Whether pages are diversified at all: by a learnt ranker, for somebody of whom nothing is known, who
    calls something by a name or a topic. What people did before tells the ranker what they mean, and so does who
    describes it ("calm vocal jazz"): there other candidates are other answers, not other meanings."""
    return (
        config.diversity != "off"
        and state.ranker is not None
        and not facts.described
        and not state.topics.knows(user)
    )


def meanings_of(
    state: State,
    docs: NDArray[np.int32],
    scores: NDArray[np.float32],
    features: NDArray[np.float32],
    order: NDArray[np.int64],
) -> Meanings:
    """What may be meant by the search that these candidates (n,), with `order` best first, answer.

    What was clicked for the query says what is meant wherever the ranker puts it: a new item is not yet
    like what it has learnt to like. `NOTHING` where the query surely means one thing.
    """
    clicks, clicked = _clicks(state, features)
    best = np.concatenate([order[:POOL], (behind := order[POOL:])[clicked[behind] > 0]])
    if best.size == 0:
        return NOTHING
    odds = np.exp(scores[best].astype(np.float64) - float(scores[best[0]]))
    chances = odds / odds.sum()
    meant = (clicked[best] + ASSUMED * chances) / (clicks + ASSUMED)
    rows = docs[best].tolist()
    # Reading documents is most of the work, and of most queries a few tell enough.
    few = np.unique(np.append(0, np.argsort(-meant, kind="stable")[:FEW]))
    known = {i: _served(state, state.catalog[rows[i]]) for i in few.tolist()}
    rest = float(meant.sum() - meant[few].sum())
    if surely_one(list(known.values()), meant[few].tolist(), rest):
        return NOTHING
    served = [known.get(i) or _served(state, state.catalog[row]) for i, row in enumerate(rows)]
    return told_by(best, served, meant.tolist())


def surely_one(served: Sequence[Served], meant: Sequence[float], rest: float) -> bool:
    """Whether a query is not ambiguous, whatever the items serve that are not among these few.

    The first of `served` is the first item of the order. `meant`: how probable each is, `rest` all others.
    """
    covered = []
    for facet, names in enumerate(served[0]):
        own, every = -LEAST * len(names), rest
        for of, chance in zip(served, meant, strict=True):
            if of[facet]:
                own += chance * sum(name in names for name in of[facet]) / len(of[facet])
                every += chance
        covered.append(max(own, 0.0) / every if every > 0.0 else 1.0)
    # There may be no topics that count, and then the first facet is all.
    return 1.0 - min(covered[0], sum(covered) / len(covered)) < AMBIGUOUS


def told_by(best: NDArray[np.int64], served: Sequence[Served], meant: Sequence[float]) -> Meanings:
    """Meanings of the items `best` (m,), of whom each serves and how probable it is."""
    shares: dict[tuple[int, str], float] = {}
    for of, chance in zip(served, meant, strict=True):
        for facet, names in enumerate(of):
            for name in names:
                key = (facet, name)
                shares[key] = shares.get(key, 0.0) + chance / len(names)
    kept = [key for key, share in shares.items() if share >= LEAST]
    if not kept:
        return NOTHING
    found = np.array([shares[key] for key in kept])
    facets = np.array([facet for facet, _ in kept])
    found = found / np.bincount(facets, found)[facets] / np.unique(facets).size
    coverage = np.array([[float(name in of[facet]) for facet, name in kept] for of in served])
    return Meanings(
        best,
        tuple(name for _, name in kept),
        found,
        coverage,
        unserved_by_the_first(np.zeros(1, np.int64), coverage, found),
    )


def diversified(
    meanings: Meanings, method: str, scores: NDArray[np.float32], order: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The order with a first page that serves what may be meant, the rest as it was."""
    best = meanings.best
    relevance = np.exp((scores[best].astype(np.float64) - float(scores[best[0]])) / FLATTER)
    trade = min(1.0, TRADE * meanings.ambiguity)
    page = best[METHODS[method](relevance, meanings.coverage, meanings.shares, trade, PAGE)]
    return np.concatenate([page, order[~np.isin(order, page)]])


def _clicks(state: State, features: NDArray[np.float32]) -> tuple[float, Floats]:
    """Clicks on the query that the log remembers, in all and (m,) by candidate."""
    places = {name: i for i, name in enumerate(column_names(state.retrievers))}
    share, clicks = places.get("memory.query_share"), places.get("memory.query_clicks")
    if share is None or clicks is None:
        return 0.0, np.zeros(len(features))
    total = np.expm1(np.nan_to_num(features[:, clicks].astype(np.float64)))
    by_item = np.nan_to_num(features[:, share].astype(np.float64)) * total
    return float(by_item.sum()), by_item


def _served(state: State, document: Document) -> Served:
    """Whom an item serves: who means its kind by its creator, who means one of its topics."""
    creator = next((v for key in CREATORS for v in document.values(key)), document.title)
    kind = document.type or "item"
    topic = state.topics.field
    topics = tuple(document.values(topic)) if topic in FIELDS and topic != "type" else ()
    return (f"{kind} by {creator}",), topics
