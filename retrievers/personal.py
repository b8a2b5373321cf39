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
from retrievers.behaviour import Behaviour
from retrievers.bm25 import BM25
from retrievers.content import Content
from retrievers.decay import DAY, check_half_life, decayed
from retrievers.deeds import Deed, deed_of
from retrievers.history import OUTSIDE, UserHistory
from retrievers.near_queries import query_key
from retrievers.personal_features import PAIR_FEATURES, PRIOR_WEIGHTS, USER_RELATIVE, Pairs
from retrievers.preference import Preference, spread
from retrievers.respelling import respelt
from retrievers.space import Space
from retrievers.taste import Taste
from retrievers.topk import best

_QUERY_ITEMS = 100
_NEIGHBOURS = 50
_OF_TASTE = 100
_CHUNK = 5000
_CHOICES = 256
_GROWTH = 1.1
_KEEP = 0.9
_PRIOR_PRECISION = 1.0


class Personal(Retriever):
    """Ranks the user's own items; those of others are `Discovery`'s, which reads this one's state.

    The score is a linear model of `PAIR_FEATURES`, one for own items and one for others, learnt as conditional
    logits from choices as they arrive, each seen with the state before it. Someone of whom nothing is known gets
    nothing: the other generators answer for everyone. An empty query asks for the user's likely items.

    Joined to a `BM25` it knows how well items have the query's words, as it is read, and how much they leave open.

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
        self._content = Content.none()
        self._seen = Behaviour.none()
        self._fitted = 0
        self._space = Space.none()
        self._by_words: BM25 | None = None
        self._last: tuple[UserHistory, str, str, float | None, Pairs] | None = None
        self._own = self._new = Preference.prior(PRIOR_WEIGHTS, _PRIOR_PRECISION)

    def joined(self, other: Retriever) -> Personal:
        """TypeError where `other` is no `BM25`."""
        if not isinstance(other, BM25):
            raise TypeError(f"Personal.joined: found {type(other).__name__}, expected BM25")
        twin = copy.copy(self)
        twin._by_words, twin._last = other, None
        return twin

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Make room for new rows, and take in what values they share with others."""
        if rows.size != len(documents):
            raise ValueError(
                f"Personal.add: found {rows.size} rows for {len(documents)} documents, expected one each"
            )
        if rows.size == 0:
            return
        live = np.zeros(int(rows[-1]) + 1, np.bool_)
        live[: self._live.size] = self._live
        live[rows] = True
        self._live, self._last = live, None
        self._seen = self._seen.widened(live.size)
        self._content = self._content.plus(rows, documents)

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
        clicked = self._seen.tally(query_key(query.text)).docs.size
        return float(min(clicked, _QUERY_ITEMS) + _NEIGHBOURS + _OF_TASTE)

    def ranked(self, query: Query, k: int, allowed: BoolMask | None, *, owned: bool) -> Hits:
        """The best of the user's own items or, not `owned`, of up to 100 of the query's, 50 neighbours and
        100 of the user's taste that are not the user's."""
        history = self._history(query)
        if history is None:
            return Hits.none()
        pairs = self._pairs_of(history, query)
        docs = history.docs if owned else self._others(pairs)
        scores = (self._own if owned else self._new).score(pairs.features(docs))
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
        pairs = self._pairs_of(history or UserHistory.none(), query)
        x = np.full((docs.size, len(self.feature_names)), np.nan, np.float32)
        x[:, : len(PAIR_FEATURES)] = features = pairs.features(docs)
        if history is None:
            x[:, np.flatnonzero(USER_RELATIVE)] = np.nan
            return x
        own = features[:, 0] > 0
        x[:, -5] = np.where(own, self._own.score(features), self._new.score(features))
        touched = np.count_nonzero(history.touches)
        x[:, -4:-1] = np.log1p([history.docs.size, touched, pairs.counts.sum()])
        x[:, -1] = max(pairs.now - float(history.last.max()), 0.0) / (30.0 * DAY)
        return x

    def _history(self, query: Query) -> UserHistory | None:
        user = query.context.user
        history = self._seen.users.get(user) if user is not None else None
        return history if history is not None and history.docs.size else None

    def _pairs_of(self, history: UserHistory, query: Query) -> Pairs:
        return self._pairs(history, query_key(query.text), respelt(query), query.seconds)

    def _pairs(self, history: UserHistory, key: str, text: str, seconds: float | None) -> Pairs:
        last = self._last
        if last is not None and last[0] is history and last[1:4] == (key, text, seconds):
            return last[4]
        now = self._seen.newest if seconds is None else seconds
        tally = self._seen.tally(key)
        left = float(decayed(now - tally.at, self.half_life * DAY)) if tally.docs.size else 1.0
        pairs = Pairs.of(
            history,
            self._seen.ids.get(key, OUTSIDE),
            tally,
            left,
            self._space.words_of(key),
            self._space.embedding,
            self._seen.item_clicks,
            self._seen.all_clicks,
            now,
            None if self._by_words is None else self._by_words.matching(text),
            Taste.of(self._content, history),
            self._breadth(text),
        )
        # Kept, in one assignment: a search asks for the own items, for new ones and for a description.
        self._last = (history, key, text, seconds, pairs)
        return pairs

    def _breadth(self, text: str) -> float:
        """How much the words leave open: 1 where there are none, 0 where one is in no document."""
        if self._by_words is None:
            return 0.0
        found = self._by_words.document_frequency(text)
        few = float(found.min(initial=self._live.size))
        return float(np.log1p(few) / np.log1p(max(self._live.size, 1)))

    def _others(self, pairs: Pairs) -> Docs:
        """The query's items, the neighbours and those of the user's taste, ascending, without own ones."""
        near = self._space.neighbours(pairs.user + pairs.query, _NEIGHBOURS)
        likely = np.setdiff1d(pairs.taste.likely(), pairs.history.docs, assume_unique=True)
        match, taste, broad = self._new.weights[-3:].tolist()  # the last of `PAIR_FEATURES`
        scores = np.float32(taste + broad * pairs.breadth) * pairs.taste.towards(likely)
        if pairs.match is not None:
            scores += np.float32(match) * pairs.match(likely)
        of_taste = best(likely, scores, _OF_TASTE).docs
        found = np.concatenate([pairs.tally.top(_QUERY_ITEMS)[0], near, of_taste])
        return np.setdiff1d(found, pairs.history.docs)

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Learn the preferences from the outcomes, then take them in.

        A batch larger than all that is known is taken in by parts, so that the later ones can be
        learnt from with the earlier ones known. Outcomes without user teach only of their query.
        """
        deeds = sorted(deed_of(outcome, self._live.size) for outcome in outcomes if outcome.weight)
        while deeds:
            size = max(_CHUNK, self._seen.events)
            # Cut between times only: what happened at one time has no order.
            while 0 < size < len(deeds) and deeds[size].time == deeds[size - 1].time:
                size += 1
            part, deeds = deeds[:size], deeds[size:]
            self._learn_preferences(part)
            self._seen = self._seen.plus(part, self.half_life)
            if self._seen.events >= _GROWTH * self._fitted:
                self._refit()
            self._last = None

    def _learn_preferences(self, deeds: Sequence[Deed]) -> None:
        searches: defaultdict[tuple[str, str, str, float], list[int]] = defaultdict(list)
        for deed in deeds:
            if deed.known and deed.key and deed.weight > 0 and deed.user in self._seen.users:
                searches[deed.user, deed.key, deed.text, deed.time].append(deed.doc)
        of_own: list[tuple[Features, BoolMask]] = []
        of_new: list[tuple[Features, BoolMask]] = []
        for (user, key, text, time), docs in spread(list(searches.items()), _CHOICES):
            pairs = self._pairs(self._seen.users[user], key, text, time)
            for among, made in ((pairs.history.docs, of_own), (self._others(pairs), of_new)):
                wanted = np.isin(among, docs)
                if wanted.any():
                    made.append((pairs.features(among), wanted))
        self._own, self._new = _after(self._own, of_own), _after(self._new, of_new)

    def _refit(self) -> None:
        seen = self._seen
        self._space = Space.fit(
            seen.users.values(), seen.tallies, self._live.size, self.rank, self.seed
        )
        self._fitted = seen.events

    def save(self, folder: Path) -> None:
        """Write settings as JSON and arrays as .npy files."""
        settings = {
            "rank": self.rank,
            "half_life": self.half_life,
            "seed": self.seed,
            "fitted": self._fitted,
        }
        (folder / "personal.json").write_text(json.dumps(settings))
        np.save(folder / "live.npy", self._live)
        for name, belief in (("own", self._own), ("new", self._new)):
            np.save(folder / f"{name}_weights.npy", belief.weights)
            np.save(folder / f"{name}_precision.npy", belief.precision)
        self._seen.save(folder)
        self._space.save(folder)
        self._content.save(folder / "content")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        settings = json.loads((folder / "personal.json").read_text())
        personal = cls(settings["rank"], settings["half_life"], settings["seed"])
        personal._fitted = settings["fitted"]
        personal._live = np.load(folder / "live.npy")
        personal._own, personal._new = (
            Preference(
                np.load(folder / f"{name}_weights.npy"), np.load(folder / f"{name}_precision.npy")
            )
            for name in ("own", "new")
        )
        personal._seen = Behaviour.load(folder)
        personal._space = Space.load(folder)
        personal._content = Content.load(folder / "content")
        return personal


def _after(belief: Preference, choices: Sequence[tuple[Features, BoolMask]]) -> Preference:
    if not choices:
        return belief
    starts = np.cumsum([0, *(chosen.size for _, chosen in choices[:-1])])
    features, chosen = (np.concatenate(parts) for parts in zip(*choices, strict=True))
    return belief.after(features, chosen, starts, _KEEP)
