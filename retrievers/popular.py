"""What everybody wants, and what is new: the generator that explores.

Behind every four popular items stands a new one, so that an item nobody could have chosen yet
gets places in the first ten. New items are ordered by an optimistic rate, (events + a) / (days +
b), with a and b those of one expected event in a week: it starts at the same value for all, rises
with success and falls with time without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Document, Features, Hits, Outcome, Query, Retriever
from retrievers.decay import DAY, check_half_life, decayed
from retrievers.predicted_queries import popularity
from retrievers.tally import Floats

EVERY = 5
"""Ranks 5, 10, 15… belong to new items while there are any."""
_EXPECTED_EVENTS, _EXPECTED_DAYS = 1.0, 7.0
_BLOCK = 4096


class Popular(Retriever):
    """One ranking for everyone and every query, as of the newest outcome seen; scores 1 / rank.

    Popular: events decayed with `half_life` (days), plus `prior` events for the most popular
    item by `metadata["popularity"]`, in proportion for the others. New: added after outcomes had
    been seen, at most `new_days` ago, with fewer than `new_events` events.
    """

    name: ClassVar[str] = "popular"
    feature_names: tuple[str, ...] = (
        "log_popularity",
        "log_lifetime_popularity",
        "popularity_prior",
        "newness",
        "optimistic_rate",
    )

    def __init__(
        self,
        half_life: float = 60.0,
        prior: float = 5.0,
        new_days: float = 90.0,
        new_events: float = 20.0,
    ):
        check_half_life("Popular.half_life", half_life)
        check_half_life("Popular.new_days", new_days)
        if not (prior >= 0 and new_events >= 0):
            raise ValueError(
                f"Popular: found prior {prior} and new_events {new_events}, expected both ≥ 0"
            )
        self.half_life, self.prior = half_life, prior
        self.new_days, self.new_events = new_days, new_events
        self._live: BoolMask = np.zeros(0, np.bool_)
        self._recent: Floats = np.zeros(0)
        self._lifetime: Floats = np.zeros(0)
        self._declared: Floats = np.zeros(0)
        self._added: Floats = np.zeros(0)
        self._newest = -np.inf
        self._most_declared = 1e-9
        # The two lists, each best first, and the ranking made of them.
        self._popular = self._new = self._ranking = np.empty(0, np.int32)

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Index documents under new rows; new ones, where outcomes have been seen before."""
        if rows.size == 0:
            return
        more = int(rows[-1]) + 1 - self._live.size
        live, declared, added = (
            np.concatenate([known, np.zeros(more, known.dtype)])
            for known in (self._live, self._declared, self._added)
        )
        live[rows] = True
        declared[rows] = [popularity(document) for document in documents]
        added[rows] = self._newest
        self._recent = np.concatenate([self._recent, np.zeros(more)])
        self._lifetime = np.concatenate([self._lifetime, np.zeros(more)])
        self._live, self._declared, self._added = live, declared, added
        if float(declared[rows].max(initial=0.0)) > self._most_declared:
            self._rank()
        else:
            self._insert(rows)

    def remove(self, rows: Docs) -> None:
        """Never return these rows again."""
        if rows.size == 0:
            return
        live, declared = self._live.copy(), self._declared.copy()
        live[rows], declared[rows] = False, 0.0
        self._live, self._declared = live, declared
        if float(declared.max(initial=0.0)) < self._most_declared:
            self._rank()
        else:
            self._stand(self._popular[live[self._popular]], self._new[live[self._new]])

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Count outcomes, in and outside searches; large weights, such as plays, by their log."""
        told = sorted((o.doc, o.time, o.weight) for o in outcomes if o.weight)
        if not told:
            return
        docs, times, weights = (np.array(column) for column in zip(*told, strict=True))
        if docs[0] < 0 or docs[-1] >= self._live.size or not np.isfinite(weights).all():
            raise ValueError(
                f"Popular.observe: found rows {docs[0]} to {docs[-1]}, expected 0 to "
                f"{self._live.size - 1}, and finite weights; were the documents added?"
            )
        newest = max(self._newest, float(times.max()))
        events = np.where(weights > 1, 1 + np.log(np.maximum(weights, 1)), weights)
        recent = self._recent * decayed(newest - self._newest, self.half_life * DAY)
        lifetime = self._lifetime.copy()
        np.add.at(recent, docs, events * decayed(newest - times, self.half_life * DAY))
        np.add.at(lifetime, docs, events)
        self._recent, self._lifetime, self._newest = recent, lifetime, newest
        self._rank()

    def _rank(self) -> None:
        """The whole ranking, made when the state changes so that a search reads its head only."""
        self._most_declared = max(float(self._declared.max(initial=0.0)), 1e-9)
        none = np.empty(0, np.int32)
        self._stand(none, none)
        self._insert(np.flatnonzero(self._live).astype(np.int32))

    def _insert(self, rows: Docs) -> None:
        """Rank rows that are not ranked yet among those that are."""
        is_new = self._newness(rows, self._newest) > 0
        ranked = (
            (self._popular, rows[~is_new], self._score),
            (self._new, rows[is_new], lambda docs: self._rate(docs, self._newest)),
        )
        self._stand(*(_inserted(known, given, of) for known, given, of in ranked))

    def _stand(self, popular: Docs, new: Docs) -> None:
        """Put new items, best first, into their places among popular ones."""
        places = np.minimum(
            EVERY * np.arange(1, new.size + 1) - 1, popular.size + np.arange(new.size)
        )
        ranking = np.empty(popular.size + new.size, np.int32)
        others = np.ones(ranking.size, np.bool_)
        others[places] = False
        ranking[places], ranking[others] = new, popular
        self._popular, self._new, self._ranking = popular, new, ranking

    def _score(self, docs: Docs) -> Floats:
        declared: Floats = self.prior * self._declared[docs] / self._most_declared
        return self._recent[docs] + declared

    def _newness(self, docs: Docs, now: float) -> Floats:
        """1 for an item just added, falling to 0 over `new_days` or `new_events`; shape as `docs`."""
        if not np.isfinite(now):
            return np.zeros(docs.size)
        age = np.maximum(now - self._added[docs], 0.0) / (self.new_days * DAY)
        events = np.maximum(self._lifetime[docs], 0.0) / max(self.new_events, 1e-9)
        return np.maximum(1.0 - np.maximum(age, events), 0.0)

    def _rate(self, docs: Docs, now: float) -> Floats:
        days = np.maximum(now - self._added[docs], 0.0) / DAY
        events = np.maximum(self._lifetime[docs], 0.0)
        return (events + _EXPECTED_EVENTS) / (days + _EXPECTED_DAYS)

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """The first k of the ranking, whatever the query, the empty one included."""
        del query  # the same for everyone
        ranking = self._ranking
        if allowed is None:
            places = np.arange(min(max(k, 0), ranking.size))
        else:
            places = _first(allowed, ranking, k)
        return Hits(ranking[places], (1.0 / (1.0 + places)).astype(np.float32))

    def describe(self, query: Query, docs: Docs) -> Features:
        """Columns `feature_names`: log(1 + events), decayed to the query's time and in all; the
        share of the highest declared popularity; newness in [0, 1]; events a day, optimistically,
        NaN for items that were there before any outcome.
        """
        now = self._newest if query.seconds is None else query.seconds
        seen = np.isfinite(self._newest)
        left = float(decayed(now - self._newest, self.half_life * DAY)) if seen else 1.0
        dated = np.isfinite(self._added[docs])
        rate = np.full(docs.size, np.nan)
        rate[dated] = self._rate(docs[dated], now)
        columns = (
            np.log1p(np.maximum(self._recent[docs] * left, 0.0)),
            np.log1p(np.maximum(self._lifetime[docs], 0.0)),
            self._declared[docs] / self._most_declared,
            self._newness(docs, now),
            rate,
        )
        return np.stack(columns, axis=1).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write settings as JSON and arrays as .npy files."""
        settings = {
            "half_life": self.half_life,
            "prior": self.prior,
            "new_days": self.new_days,
            "new_events": self.new_events,
            "newest": self._newest,
        }
        (folder / "popular.json").write_text(json.dumps(settings))
        for name in ("live", "recent", "lifetime", "declared", "added"):
            keep(folder / f"{name}.npy", getattr(self, f"_{name}"))
        keep(folder / "popular.npy", self._popular)
        keep(folder / "new.npy", self._new)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        settings = json.loads((folder / "popular.json").read_text())
        newest = settings.pop("newest")
        popular = cls(**settings)
        popular._newest = newest
        popular._live = mapped(folder / "live.npy", np.bool_)
        for name in ("recent", "lifetime", "declared", "added"):
            setattr(popular, f"_{name}", mapped(folder / f"{name}.npy", np.float64))
        popular._most_declared = max(float(popular._declared.max(initial=0.0)), 1e-9)
        popular._stand(
            mapped(folder / "popular.npy", np.int32), mapped(folder / "new.npy", np.int32)
        )
        return popular


def _inserted(ranked: Docs, rows: Docs, score: Callable[[Docs], Floats]) -> Docs:
    """Rows, ascending, put among others that are ranked by `score`, best first and ties by row."""
    rows = rows[np.argsort(-score(rows), kind="stable")]
    if ranked.size == 0 or rows.size == 0:
        return ranked if rows.size == 0 else rows
    # What is inserted are the highest rows: behind all of an equal score.
    places = np.searchsorted(-score(ranked), -score(rows), "right")
    return np.insert(ranked, places, rows)


def _first(allowed: BoolMask, ranking: Docs, k: int) -> NDArray[np.intp]:
    """Places of the first k allowed rows, read in blocks that grow."""
    found = np.empty(0, np.intp)
    end, block = 0, max(4 * k, 256)
    while k > 0 and found.size < k and end < ranking.size:
        more = np.flatnonzero(allowed[ranking[end : end + block]]) + end
        found = np.concatenate([found, more])
        end, block = end + block, min(2 * block, 1 << 20)
    return found[: max(k, 0)]
