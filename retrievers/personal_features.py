"""What speaks for an item, for this user and this query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs, Features, Scores
from retrievers.coconsumption import Embedding, Vectors, unit
from retrievers.decay import DAY
from retrievers.history import UserHistory
from retrievers.tally import Floats, Tally, look_up
from retrievers.taste import Taste

PAIR_FEATURES = (
    "own",
    "use",
    "use_rank",
    "affinity_rank",
    "affinity",
    "liking",
    "recent_liking",
    "recency",
    "touches",
    "query_touches",
    "log_query_share",
    "repeated",
    "match",
    "taste",
    "broad_taste",
)
"""Names of `Pairs.features`."""
PRIOR_WEIGHTS = np.array(
    [1.0, 0.5, 0.5, 0.5, 1.0, 0.5, 1.0, 0.5, 0.2, 0.5, 0.3, 4.0, 4.0, 0.1, 0.5]
)
"""How much each speaks for an item before anything was learnt."""

_NOT_OF_USERS = ("affinity", "query_touches", "log_query_share", "match")
USER_RELATIVE = tuple(name not in _NOT_OF_USERS for name in PAIR_FEATURES)
"""Which of `PAIR_FEATURES` are about the user."""

_FOLDED = 256
_LAST_RANK = 200.0
_MONTH = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """One user and one query, ready to be compared with items.

    `query` and `user` and `recent` (d,): unit vectors of what the query led to, of all the user's
    items, and of the latest ones; `affinity` (h,): cosines of the user's own items to the query.
    """

    history: UserHistory
    found: Docs
    counts: Floats
    tally: Tally
    left: float
    embedding: Embedding
    query: Vectors
    user: Vectors
    recent: Vectors
    affinity: Vectors
    item_clicks: Floats
    all_clicks: float
    now: float
    match: Callable[[Docs], Scores] | None
    taste: Taste
    breadth: float

    @classmethod
    def of(
        cls,
        history: UserHistory,
        query_id: int,
        tally: Tally,
        left: float,
        words: Vectors,
        embedding: Embedding,
        item_clicks: Floats,
        all_clicks: float,
        now: float,
        match: Callable[[Docs], Scores] | None,
        taste: Taste,
        breadth: float,
    ) -> Pairs:
        """`left`: what decay has left of `tally`; `words` (d,): the query's words, or zeros.

        `item_clicks` (rows,): how often each item was clicked in searches, `all_clicks` their
        sum; `now` in seconds; `match`, where given, tells how well items (n,) have the query's words, of which the
        rarest is in few of the catalogue's (`breadth` 0) or in all (1).
        """
        found, counts = history.after(query_id)
        strength = history.strength()
        strongest = np.argsort(-strength, kind="stable")[:_FOLDED]
        user = embedding.fold(
            history.docs[strongest], strength[strongest], float(strength.sum()), embedding.users
        )
        docs, clicks = tally.top(_FOLDED)
        query = embedding.fold(docs, np.maximum(clicks, 0.0), tally.total, embedding.queries)
        weights = history.recency(_MONTH).astype(np.float32)
        wanted, own = unit(query + words), embedding.units(history.docs)
        return cls(
            history,
            found,
            counts,
            tally,
            left,
            embedding,
            wanted,
            user,
            unit(weights @ own),
            own @ wanted,
            item_clicks,
            all_clicks,
            now,
            match,
            taste,
            breadth,
        )

    def features(self, docs: Docs) -> Features:
        """Columns `PAIR_FEATURES`, finite; shape (n, f).

        Ranks among the user's own items (by strength of use, by affinity to the query) are
        -log(1 + rank), and those of other items that of rank 200; affinities are cosines. The user's
        taste counts as it is and times the breadth: where a query leaves much open, it tells more.
        """
        history = self.history
        units = self.embedding.units(docs)
        cosines = units @ np.stack([self.query, self.user, self.recent], axis=1)
        x = np.zeros((docs.size, len(PAIR_FEATURES)), np.float32)
        x[:, 2:4] = -np.log1p(_LAST_RANK)
        x[:, 4:7] = cosines
        if history.docs.size:
            at = np.minimum(np.searchsorted(history.docs, docs), history.docs.size - 1)
            own = history.docs[at] == docs
            at = at[own]
            x[own, 0] = 1.0
            x[own, 1] = np.log1p(history.use[at]) / np.log1p(1000.0)
            x[own, 2] = -np.log1p(np.minimum(_ranks(history.strength())[at], _LAST_RANK))
            x[own, 3] = -np.log1p(np.minimum(_ranks(self.affinity)[at], _LAST_RANK))
            x[own, 7] = 1.0 / (1.0 + np.maximum(self.now - history.last[at], 0.0) / (_MONTH * DAY))
            x[own, 8] = np.log1p(history.touches[at])
            x[:, 11] = np.log1p(look_up(self.found, self.counts, docs))
        clicks = np.maximum(self.tally.look_up(docs), 0.0) * self.left
        every = max(self.all_clicks, 1.0)
        share = (clicks + 5.0 * (self.tally.total * self.left + 0.1) / every) / (
            self.item_clicks[docs] + 5.0
        )
        x[:, 9] = np.log1p(clicks)
        x[:, 10] = np.log(share)
        if self.match is not None:
            x[:, 12] = self.match(docs)
        x[:, 13] = self.taste.towards(docs)
        x[:, 14] = self.breadth * x[:, 13]
        return x


def _ranks(values: NDArray[np.floating]) -> NDArray[np.intp]:
    """How many of the values are higher than each; equal ones share a rank."""
    ranks: NDArray[np.intp] = values.size - np.searchsorted(np.sort(values), values, "right")
    return ranks
