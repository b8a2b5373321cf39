"""Everything a search reads, in one value that is swapped as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandit.base import RetrievalPolicy
from engine.catalog import Catalog
from engine.conversing import Conversation
from engine.filters import Filters
from engine.foresight import Floats, Foresight
from engine.names import Names
from engine.pruning import Pruner
from engine.query_features import QueryFacts, query_facts
from engine.statistics import PlanStatistics
from engine.topics import Topics
from rankers.base import Ranker
from rankers.surfaces import Surfaces
from retrievers.base import Joins, KnowsNames, Query, Retriever
from retrievers.bm25 import BM25


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is indexed and what is learnt. Never changed: `learn`, `add` and `remove` make a new one.

    `expected`: the mean of candidates that the price was set for, NaN before the first `learn`; `drift`:
    by what factor searches have been drawing more than expected. `ranker` None means that fusion ranks;
    `gated` is its twin that was trained without the impressions which the gate held out. `version`
    counts the `learn`s; `learnt` are the last log entries (searches, events) that it has learnt from.
    `conversation` None means that no query is rewritten, `foresight` None that
    nothing is foreseen of a plan beyond `statistics`, `pruner` None that all that is drawn reaches the ranker;
    `bar`: what it must promise to (see `engine.pruning`), as log odds, -inf where all does.
    """

    catalog: Catalog
    filters: Filters
    names: Names
    topics: Topics
    retrievers: Mapping[str, Retriever]
    statistics: PlanStatistics
    foresight: Foresight | None
    pruner: Pruner | None
    policy: RetrievalPolicy
    price: float
    bar: float
    expected: float
    drift: float
    fusion: Ranker
    ranker: Ranker | None
    gated: Ranker | None
    surfaces: Surfaces
    version: int
    learnt: tuple[int, int]
    conversation: Conversation | None = None

    def __post_init__(self) -> None:
        # Whatever became of a generator, those that read it read what stands beside them.
        joined: dict[str, Retriever] = {}

        def join(name: str) -> Retriever:
            if name not in joined:
                one = self.retrievers[name]
                if isinstance(one, Joins) and one.joins in self.retrievers:
                    one = one.joined(join(one.joins))
                joined[name] = one
            return joined[name]

        object.__setattr__(self, "retrievers", {name: join(name) for name in self.retrievers})

    @property
    def ladder(self) -> NDArray[np.int32]:
        """Shape (L,): the depths a generator can be asked for."""
        return self.statistics.ladder

    def actions(self, facts: QueryFacts, user: str | None) -> tuple[Floats, Floats]:
        """What a policy is told of its steps for a query: action features, and overlap."""
        overlap = self.statistics.overlap(facts.kind, facts.at_most)
        features = self.statistics.action_features(facts.kind, user, facts.key, overlap)
        if self.foresight is not None:
            features = self.foresight.beside(facts.x, facts.at_most, features)
        return features, overlap

    def facts(self, query: Query) -> QueryFacts:
        """Kind, key and context features of a query that was read (see `engine.understanding.read`)."""
        words = next((r for r in self.retrievers.values() if isinstance(r, BM25)), None)
        at_most = np.array([r.at_most(query) for r in self.retrievers.values()])
        by_name = next((r for r in self.retrievers.values() if isinstance(r, KnowsNames)), None)
        near = np.empty(0, np.float32) if by_name is None else by_name.nearness(query)
        return query_facts(
            query, self.names, self.catalog.types, self.catalog.type_names, words,
            self.statistics, self.topics, at_most, near,
        )  # fmt: skip
