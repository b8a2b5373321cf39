"""What people have done: every user's history, and what each query was clicked for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from retrievers.decay import DAY
from retrievers.deeds import Deed
from retrievers.history import OUTSIDE, UserHistory, load_histories, save_histories
from retrievers.tally import Floats, Tally, load_tallies, save_tallies


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """`users` by name and `tallies` by query key; `ids` numbers the queries in their order.

    `item_clicks` (rows,): how often each item was clicked in searches, `all_clicks` their sum;
    `newest`: the latest deed's time, POSIX seconds; `events`: how many deeds there were.
    """

    users: dict[str, UserHistory]
    tallies: dict[str, Tally]
    ids: dict[str, int]
    item_clicks: Floats
    all_clicks: float = 0.0
    newest: float = -np.inf
    events: int = 0

    @classmethod
    def none(cls) -> Self:
        """Nobody did anything."""
        return cls({}, {}, {}, np.zeros(0))

    def widened(self, rows: int) -> Behaviour:
        """With room for more rows."""
        clicks = np.zeros(rows)
        clicks[: self.item_clicks.size] = self.item_clicks
        return replace(self, item_clicks=clicks)

    def plus(self, deeds: Sequence[Deed], half_life: float) -> Behaviour:
        """With more deeds, in order of time; query counts decay with `half_life`, in days."""
        tallies, users, ids = dict(self.tallies), dict(self.users), dict(self.ids)
        by_user: defaultdict[str, list[tuple[int, float, float, int]]] = defaultdict(list)
        by_key: defaultdict[str, list[tuple[int, float, float]]] = defaultdict(list)
        clicks = self.item_clicks.copy()
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
            tallies[key] = known.plus(docs, weights, times, half_life * DAY)
        for user, deeds_of in by_user.items():
            docs, weights, times, numbers = (np.array(c) for c in zip(*deeds_of, strict=True))
            history = users.get(user) or UserHistory.none()
            users[user] = history.plus(docs, weights, times, numbers)
        return Behaviour(
            users,
            tallies,
            ids,
            clicks,
            float(clicks.sum()),
            max(self.newest, deeds[-1].time),
            self.events + len(deeds),
        )

    def tally(self, key: str) -> Tally:
        """What a query was clicked for."""
        return self.tallies.get(key) or Tally.none()

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        sums = {"newest": self.newest, "all_clicks": self.all_clicks, "events": self.events}
        (folder / "behaviour.json").write_text(json.dumps(sums))
        np.save(folder / "item_clicks.npy", self.item_clicks)
        save_tallies(self.tallies, folder, "queries")
        save_histories(self.users, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        sums = json.loads((folder / "behaviour.json").read_text())
        tallies = load_tallies(folder, "queries")
        ids = {key: number for number, key in enumerate(tallies)}
        return cls(
            load_histories(folder), tallies, ids, np.load(folder / "item_clicks.npy"), **sums
        )
