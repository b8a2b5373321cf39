"""The query-to-entity memory (Q2E): what people chose after this query, until then predictions.

The architecture is Amazon Music's published one: a query and an entity are scored by actual
behaviour, decayed in time and smoothed, with predicted pairs where behaviour is missing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import is_
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Document, Features, Hits, Outcome, Query, Retriever
from retrievers.decay import DAY, check_half_life, decayed
from retrievers.near_queries import NearQueries, query_key
from retrievers.predicted_queries import PER_QUERY, PredictedQueries
from retrievers.tally import Floats, Tally, load_tallies, look_up, save_tallies
from retrievers.topk import best

_NEAR_QUERIES = 25
_NEAR_DOCS = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Recalled:
    """What is known for one query: rows ascending, with their counts and prior; all of shape (n,)."""

    docs: Docs
    counts: Floats
    prior: Floats
    clicks: float

    def scores(self, smoothing: float) -> Floats:
        """Between 0 and 1: (count + m·prior) / (clicks + m), no lower than 0."""
        return np.maximum(self.counts + smoothing * self.prior, 0.0) / (self.clicks + smoothing)


class Memory(Retriever):
    """Scores (clicks_qd + m·prior_qd) / (clicks_q + m), each click counting half a half-life later.

    Queries are one where they have the same words in any order. Near queries (by character
    trigrams, similarity s) lend their clicks at a rate of s², as if each had at most `lent` of
    them. `half_life` is in days; `smoothing` is m, in clicks.
    """

    name: ClassVar[str] = "memory"
    of_queries: ClassVar[bool] = True
    feature_names: tuple[str, ...] = (
        "query_share",
        "item_share",
        "query_clicks",
        "item_clicks",
        "predicted",
        "memory_score",
    )

    def __init__(self, half_life: float = 730.0, smoothing: float = 3.0, lent: float = 20.0):
        check_half_life("Memory.half_life", half_life)
        if not smoothing > 0 or not lent >= 0:
            raise ValueError(
                f"Memory: found smoothing {smoothing} and lent {lent}, expected more than 0 and "
                "at least 0"
            )
        self.half_life, self.smoothing, self.lent = half_life, smoothing, lent
        self._live: BoolMask = np.zeros(0, np.bool_)
        self._predicted = PredictedQueries()
        self._tallies: dict[str, Tally] = {}
        self._near = NearQueries()
        self._item_clicks: Floats = np.zeros(0)
        self._newest = -np.inf
        self._last: tuple[dict[str, Tally], PredictedQueries, str, float | None, _Recalled] | None
        self._last = None

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Index documents under new rows; each is remembered under its predicted queries."""
        if rows.size == 0:
            return
        size = int(rows[-1]) + 1
        live = np.zeros(size, np.bool_)
        live[: self._live.size] = self._live
        live[rows] = True
        clicks = np.zeros(size)
        clicks[: self._item_clicks.size] = self._item_clicks
        self._predicted = self._predicted.plus(rows, documents)
        self._live, self._item_clicks = live, clicks

    def remove(self, rows: Docs) -> None:
        """Never return these rows again."""
        live = self._live.copy()
        live[rows] = False
        self._live = live

    def merge(self) -> None:
        """Forget what removed documents were predicted for."""
        self._predicted = self._predicted.merge(self._live)

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Remember what followed queries; outcomes without one teach nothing here."""
        told: defaultdict[str, list[tuple[int, float, float]]] = defaultdict(list)
        for outcome in outcomes:
            key = query_key(outcome.query.text) if outcome.query else ""
            if key and outcome.weight:
                self._check(outcome)
                told[key].append((outcome.doc, outcome.time, outcome.weight))
        if not told:
            return
        tallies = dict(self._tallies)
        half_life = self.half_life * DAY
        newest = max(self._newest, max(time for seen in told.values() for _, time, _ in seen))
        clicks = self._item_clicks * decayed(newest - self._newest, half_life)
        for key, seen in sorted(told.items()):
            # Sorted, so that sums do not depend on the order of outcomes at equal times.
            docs, times, weights = (np.array(column) for column in zip(*sorted(seen), strict=True))
            tallies[key] = tallies.get(key, Tally.none()).plus(docs, weights, times, half_life)
            np.add.at(clicks, docs, np.maximum(weights, 0.0) * decayed(newest - times, half_life))
        self._near = self._near.plus(sorted(told.keys() - self._tallies.keys()))
        self._tallies, self._item_clicks, self._newest = tallies, clicks, newest

    def _check(self, outcome: Outcome) -> None:
        if not 0 <= outcome.doc < self._live.size or not np.isfinite(outcome.weight):
            raise ValueError(
                f"Memory.observe: found row {outcome.doc} with weight {outcome.weight}, expected "
                f"a row below {self._live.size} and a finite weight; were its documents added?"
            )

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """The rows remembered or predicted for the query, scores in (0, 1]; empty for no words."""
        key = query_key(query.text)
        if not key:
            return Hits.none()
        live = self._live
        recalled = self._recall(key, query.seconds)
        scores = recalled.scores(self.smoothing)
        kept = live[recalled.docs] & (scores > 0)
        if allowed is not None:
            kept &= allowed[recalled.docs]
        return best(recalled.docs[kept], scores[kept].astype(np.float32), k)

    def _recall(self, key: str, seconds: float | None) -> _Recalled:
        last = self._last
        state = (self._tallies, self._predicted)
        if last is not None and all(map(is_, last, state)) and last[2:4] == (key, seconds):
            return last[4]
        recalled = self._looked_up(key, seconds)
        # Kept, in one assignment: a search asks for the rows and for a description of them.
        self._last = (*state, key, seconds, recalled)
        return recalled

    def _looked_up(self, key: str, seconds: float | None) -> _Recalled:
        tallies, half_life = self._tallies, self.half_life * DAY
        now = self._newest if seconds is None else seconds
        docs, prior = self._predicted.look_up(key)
        found, counts, clicks = [docs], [np.zeros(docs.size)], 0.0
        own = tallies.get(key)
        if own is not None:
            found.append(own.top(PER_QUERY)[0])
            counts.append(np.zeros(found[-1].size))
            clicks += own.total * float(decayed(now - own.at, half_life))
        for near, similarity in self._near.find(key, _NEAR_QUERIES):
            tally = tallies.get(near)
            if tally is None or tally.total <= 0:
                continue
            left = float(decayed(now - tally.at, half_life)) * tally.total
            lent = similarity**2 * min(left, self.lent)
            rows, weights = tally.top(_NEAR_DOCS)
            found.append(rows)
            counts.append(weights * (lent / tally.total))
            clicks += lent
        every = np.concatenate(found)
        distinct, where = np.unique(every, return_inverse=True)
        total = np.bincount(where, np.concatenate(counts), distinct.size).astype(np.float64)
        if own is not None:
            total += own.look_up(distinct) * float(decayed(now - own.at, half_life))
        priors = np.bincount(where[: docs.size], prior, distinct.size).astype(np.float64)
        return _Recalled(distinct.astype(np.int32), total, priors, clicks)

    def describe(self, query: Query, docs: Docs) -> Features:
        """Columns `feature_names`.

        The item's share of the query's clicks (near ones included) and the query's share of the
        item's, NaN where there are none; log(1 + clicks) of query and item; the item's prior; the
        score, 0 where the item is not remembered.
        """
        key = query_key(query.text)
        if not key:
            return np.full((docs.size, len(self.feature_names)), np.nan, np.float32)
        recalled = self._recall(key, query.seconds)
        now = self._newest if query.seconds is None else query.seconds
        left = decayed(now - self._newest, self.half_life * DAY) if self._tallies else 1.0
        own = self._tallies.get(key, Tally.none())
        own_left = decayed(now - own.at, self.half_life * DAY) if own.docs.size else 1.0
        clicks = self._item_clicks[docs] * left
        counts = look_up(recalled.docs, recalled.counts, docs)
        nothing = np.full(docs.size, np.nan)
        share = counts / recalled.clicks if recalled.clicks > 0 else nothing
        columns = (
            share,
            np.divide(own.look_up(docs) * own_left, clicks, out=nothing.copy(), where=clicks > 0),
            np.full(docs.size, np.log1p(recalled.clicks)),
            np.log1p(clicks),
            look_up(recalled.docs, recalled.prior, docs),
            look_up(recalled.docs, recalled.scores(self.smoothing), docs),
        )
        return np.stack(columns, axis=1).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write settings as JSON and counts as .npy files."""
        settings = {
            "half_life": self.half_life,
            "smoothing": self.smoothing,
            "lent": self.lent,
            "newest": self._newest,
        }
        (folder / "memory.json").write_text(json.dumps(settings))
        keep(folder / "live.npy", self._live)
        keep(folder / "item_clicks.npy", self._item_clicks)
        save_tallies(self._tallies, folder, "queries")
        self._predicted.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the trigrams of queries are made anew."""
        settings = json.loads((folder / "memory.json").read_text())
        memory = cls(settings["half_life"], settings["smoothing"], settings["lent"])
        memory._newest = settings["newest"]
        memory._live = mapped(folder / "live.npy", np.bool_)
        memory._item_clicks = mapped(folder / "item_clicks.npy", np.float64)
        memory._tallies = load_tallies(folder, "queries")
        memory._near = NearQueries().plus(memory._tallies)
        memory._predicted = PredictedQueries.load(folder)
        return memory
