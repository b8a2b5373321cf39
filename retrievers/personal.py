"""Which of their own items this user is likely to want for this query."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from retrievers.base import BoolMask, Docs, Document, Features, Hits, Outcome, Query, Retriever
from retrievers.bm25 import BM25
from retrievers.decay import DAY, check_half_life, decayed
from retrievers.deeds import Deed, deed_of
from retrievers.history import OUTSIDE, UserHistory, load_histories, save_histories
from retrievers.near_queries import query_key
from retrievers.personal_features import PAIR_FEATURES, PRIOR_WEIGHTS, USER_RELATIVE, Pairs
from retrievers.preference import Preference, spread
from retrievers.space import Space
from retrievers.tally import Floats, Tally, load_tallies, save_tallies
from retrievers.topk import best

_QUERY_ITEMS = 100
_NEIGHBOURS = 50
_CHUNK = 5000
_CHOICES = 256
_GROWTH = 1.1
_KEEP = 0.9
_PRIOR_PRECISION = 1.0


class Personal(Retriever):
    """Ranks the user's own items; those of others are `Discovery`'s, which reads this one's state.

    The score is a linear model of `PAIR_FEATURES`, learnt as a conditional logit from choices as
    they arrive, each seen with the state before it. Someone of whom nothing is known gets nothing:
    the other generators answer for everyone. An empty query asks for the user's likely items.

    Joined to a `BM25` it knows how well items have the query's words; else only what people did.

    Queries, users and items share an embedding of at most `rank` dimensions, fitted again whenever
    the outcomes have grown by a tenth; what comes between is folded in. Query counts decay with
    `half_life`, in days.
    """

    name: ClassVar[str] = "personal"
    joins: ClassVar[str] = BM25.name
    feature_names: tuple[str, ...] = (
        *PAIR_FEATURES,
        "preference",
        "user_items",
        "user_touched_items",
        "user_query_touches",
        "user_idle_months",
    )

    def __init__(self, rank: int = 64, half_life: float = 730.0, seed: int = 0):
        check_half_life("Personal.half_life", half_life)
        if rank < 1:
            raise ValueError(f"Personal.rank: found {rank}, expected at least 1")
        self.rank, self.half_life, self.seed = rank, half_life, seed
        self._live: BoolMask = np.zeros(0, np.bool_)
        self._item_clicks: Floats = np.zeros(0)
        self._all_clicks = 0.0
        self._users: dict[str, UserHistory] = {}
        self._tallies: dict[str, Tally] = {}
        self._ids: dict[str, int] = {}
        self._newest = -np.inf
        self._events = self._fitted = 0
        self._space = Space.none()
        self._by_words: BM25 | None = None
        self._last: tuple[UserHistory, str, float | None, Pairs] | None = None
        self._preference = Preference.prior(PRIOR_WEIGHTS, _PRIOR_PRECISION)

    def joined(self, other: Retriever) -> Personal:
        """TypeError where `other` is no `BM25`."""
        if not isinstance(other, BM25):
            raise TypeError(f"Personal.joined: found {type(other).__name__}, expected BM25")
        twin = copy.copy(self)
        twin._by_words, twin._last = other, None
        return twin

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Make room for new rows; what they are, people's behaviour will tell."""
        if rows.size != len(documents):
            raise ValueError(
                f"Personal.add: found {rows.size} rows for {len(documents)} documents, expected one each"
            )
        if rows.size == 0:
            return
        live = np.zeros(int(rows[-1]) + 1, np.bool_)
        live[: self._live.size] = self._live
        live[rows] = True
        clicks = np.zeros(live.size)
        clicks[: self._item_clicks.size] = self._item_clicks
        self._live, self._item_clicks, self._last = live, clicks, None

    def remove(self, rows: Docs) -> None:
        """Never return these rows again."""
        live = self._live.copy()
        live[rows] = False
        self._live = live

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """At most the user's own items; empty for unknown users."""
        return self.ranked(query, k, allowed, owned=True)

    def at_most(self, query: Query) -> float:
        """The user's items, removed ones included."""
        return self.bound(query, owned=True)

    def bound(self, query: Query, *, owned: bool) -> float:
        """How many rows `ranked` can return."""
        history = self._history(query)
        if history is None:
            return 0.0
        if owned:
            return float(history.docs.size)
        tally = self._tallies.get(query_key(query.text)) or Tally.none()
        return float(min(tally.docs.size, _QUERY_ITEMS) + _NEIGHBOURS)

    def ranked(self, query: Query, k: int, allowed: BoolMask | None, *, owned: bool) -> Hits:
        """The best of the user's own items or, not `owned`, of up to 100 of the query's and 50
        neighbours that are not the user's."""
        history = self._history(query)
        if history is None:
            return Hits.none()
        pairs = self._pairs(history, query.text, query.seconds)
        docs = history.docs if owned else np.setdiff1d(self._others(pairs), history.docs)
        scores = self._preference.score(pairs.features(docs))
        kept = self._live[docs]
        if allowed is not None:
            kept &= allowed[docs]
        return best(docs[kept], scores[kept], k)

    def describe(self, query: Query, docs: Docs) -> Features:
        """Columns `feature_names`; those about the user are NaN where nothing is known of one.

        The first as in `Pairs.features`; the score by which `ranked` orders; then, equal for all rows, how
        many items the user has, how many of them by searches, how much this user has clicked after
        this query, all as log(1 + n), and the months since the user's last deed.
        """
        history = self._history(query)
        pairs = self._pairs(history or UserHistory.none(), query.text, query.seconds)
        x = np.full((docs.size, len(self.feature_names)), np.nan, np.float32)
        x[:, : len(PAIR_FEATURES)] = features = pairs.features(docs)
        if history is None:
            x[:, np.flatnonzero(USER_RELATIVE)] = np.nan
            return x
        x[:, -5] = self._preference.score(features)
        touched = np.count_nonzero(history.touches)
        x[:, -4:-1] = np.log1p([history.docs.size, touched, pairs.counts.sum()])
        x[:, -1] = max(pairs.now - float(history.last.max()), 0.0) / (30.0 * DAY)
        return x

    def _history(self, query: Query) -> UserHistory | None:
        history = self._users.get(query.context.user) if query.context.user is not None else None
        return history if history is not None and history.docs.size else None

    def _pairs(self, history: UserHistory, text: str, seconds: float | None) -> Pairs:
        last = self._last
        if last is not None and last[0] is history and last[1:3] == (text, seconds):
            return last[3]
        key = query_key(text)
        now = self._newest if seconds is None else seconds
        tally = self._tallies.get(key) or Tally.none()
        left = float(decayed(now - tally.at, self.half_life * DAY)) if tally.docs.size else 1.0
        pairs = Pairs.of(
            history,
            self._ids.get(key, OUTSIDE),
            tally,
            left,
            self._space.words_of(key),
            self._space.embedding,
            self._item_clicks,
            self._all_clicks,
            now,
            None if self._by_words is None else self._by_words.matching(text),
        )
        # Kept, in one assignment: a search asks for the own items, for new ones and for a description.
        self._last = (history, text, seconds, pairs)
        return pairs

    def _others(self, pairs: Pairs) -> Docs:
        """The query's items and the neighbours, among them own ones."""
        near = self._space.neighbours(pairs.user + pairs.query, _NEIGHBOURS)
        return np.concatenate([pairs.tally.top(_QUERY_ITEMS)[0], near])

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Learn the preference from the outcomes, then take them in.

        A batch larger than all that is known is taken in by parts, so that the later ones can be
        learnt from with the earlier ones known. Outcomes without user teach only of their query.
        """
        deeds = sorted(deed_of(outcome, self._live.size) for outcome in outcomes if outcome.weight)
        while deeds:
            size = max(_CHUNK, self._events)
            # Cut between times only: what happened at one time has no order.
            while 0 < size < len(deeds) and deeds[size].time == deeds[size - 1].time:
                size += 1
            part, deeds = deeds[:size], deeds[size:]
            self._learn_preference(part)
            self._absorb(part)
            if self._events >= _GROWTH * self._fitted:
                self._refit()
            self._last = None

    def _learn_preference(self, deeds: Sequence[Deed]) -> None:
        searches: defaultdict[tuple[str, str, float], list[int]] = defaultdict(list)
        for deed in deeds:
            if deed.known and deed.key and deed.weight > 0 and deed.user in self._users:
                searches[deed.user, deed.text, deed.time].append(deed.doc)
        features, chosen = [], []
        for (user, text, time), docs in spread(list(searches.items()), _CHOICES):
            pairs = self._pairs(self._users[user], text, time)
            candidates = np.union1d(pairs.history.docs, self._others(pairs))
            wanted = np.isin(candidates, docs)
            if wanted.any():
                features.append(pairs.features(candidates))
                chosen.append(wanted)
        if chosen:
            starts = np.cumsum([0, *(part.size for part in chosen[:-1])])
            self._preference = self._preference.after(
                np.concatenate(features), np.concatenate(chosen), starts, _KEEP
            )

    def _absorb(self, deeds: Sequence[Deed]) -> None:
        tallies, users, ids = dict(self._tallies), dict(self._users), dict(self._ids)
        by_user: defaultdict[str, list[tuple[int, float, float, int]]] = defaultdict(list)
        by_key: defaultdict[str, list[tuple[int, float, float]]] = defaultdict(list)
        clicks = self._item_clicks.copy()
        for deed in deeds:
            number = OUTSIDE
            if deed.key:
                number = ids.setdefault(deed.key, len(ids))
                by_key[deed.key].append((deed.doc, deed.weight, deed.time))
                clicks[deed.doc] += max(deed.weight, 0.0)
            if deed.known:
                by_user[deed.user].append((deed.doc, deed.weight, deed.time, number))
        for key, rows in by_key.items():
            docs, weights, times = (np.array(column) for column in zip(*rows, strict=True))
            known = tallies.get(key) or Tally.none()
            tallies[key] = known.plus(docs, weights, times, self.half_life * DAY)
        for user, deeds_of in by_user.items():
            docs, weights, times, numbers = (np.array(c) for c in zip(*deeds_of, strict=True))
            history = users.get(user) or UserHistory.none()
            users[user] = history.plus(docs, weights, times, numbers)
        self._tallies, self._users, self._ids, self._item_clicks = tallies, users, ids, clicks
        self._all_clicks = float(clicks.sum())
        self._newest = max(self._newest, deeds[-1].time)
        self._events += len(deeds)

    def _refit(self) -> None:
        self._space = Space.fit(
            self._users.values(), self._tallies, self._live.size, self.rank, self.seed
        )
        self._fitted = self._events

    def save(self, folder: Path) -> None:
        """Write settings as JSON and arrays as .npy files."""
        settings = {
            "rank": self.rank,
            "half_life": self.half_life,
            "seed": self.seed,
            "newest": self._newest,
            "all_clicks": self._all_clicks,
            "events": self._events,
            "fitted": self._fitted,
        }
        (folder / "personal.json").write_text(json.dumps(settings))
        np.save(folder / "live.npy", self._live)
        np.save(folder / "item_clicks.npy", self._item_clicks)
        np.save(folder / "weights.npy", self._preference.weights)
        np.save(folder / "precision.npy", self._preference.precision)
        save_tallies(self._tallies, folder, "queries")
        save_histories(self._users, folder)
        self._space.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        settings = json.loads((folder / "personal.json").read_text())
        personal = cls(settings["rank"], settings["half_life"], settings["seed"])
        personal._newest = settings["newest"]
        personal._events, personal._fitted = settings["events"], settings["fitted"]
        personal._live = np.load(folder / "live.npy")
        personal._item_clicks = np.load(folder / "item_clicks.npy")
        personal._all_clicks = settings["all_clicks"]
        personal._preference = Preference(
            np.load(folder / "weights.npy"), np.load(folder / "precision.npy")
        )
        personal._tallies = load_tallies(folder, "queries")
        personal._ids = {key: number for number, key in enumerate(personal._tallies)}
        personal._users = load_histories(folder)
        personal._space = Space.load(folder)
        return personal
