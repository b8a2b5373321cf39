"""What one user has done: the items, how much, how recently, and after which queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs
from retrievers.decay import DAY, decayed
from retrievers.tally import Floats

OUTSIDE = -1
"""The query id of outcomes outside searches."""
KEPT = 2000
"""How many own items a history holds, the latest: what bounds the cost of a search."""


@dataclass(frozen=True, slots=True, eq=False)
class UserHistory:
    """A user's own items and searches.

    `docs` (n,): items the user has used or touched, ascending; `use` (n,): summed weights of
    outcomes outside searches, such as play counts; `touches` (n,): those within; `last` (n,): time
    of the latest, POSIX seconds. `asked`, `found`, `counts` (m,): summed weights by query id and
    item, ascending. All weights are > 0 somewhere: what skips cancel is forgotten.
    """

    docs: Docs
    use: Floats
    touches: Floats
    last: Floats
    asked: NDArray[np.int32]
    found: Docs
    counts: Floats

    @classmethod
    def none(cls) -> Self:
        """A user who has done nothing."""
        ids, sums = np.empty(0, np.int32), np.empty(0)
        return cls(ids, sums, sums, sums, ids, ids, sums)

    def plus(
        self, docs: Docs, weights: Floats, times: Floats, queries: NDArray[np.int32]
    ) -> UserHistory:
        """With more outcomes, all of shape (n,); `queries` are ids, `OUTSIDE` for none."""
        outside = queries == OUTSIDE
        items, where = np.unique(np.concatenate([self.docs, docs]), return_inverse=True)
        old, new = where[: self.docs.size], where[self.docs.size :]
        use, touches, last = np.zeros(items.size), np.zeros(items.size), np.zeros(items.size)
        use[old], touches[old] = self.use, self.touches
        last[:] = -np.inf
        last[old] = self.last
        np.add.at(use, new[outside], weights[outside])
        np.add.at(touches, new[~outside], weights[~outside])
        wanted = weights > 0
        np.maximum.at(last, new[wanted], times[wanted])
        use, touches = np.maximum(use, 0.0), np.maximum(touches, 0.0)
        own = np.flatnonzero(use + touches > 0)
        if own.size > KEPT:
            # Rows ascend, so equal times keep the lower rows.
            own = np.sort(own[np.argsort(-last[own], kind="stable")[:KEPT]])
        asked = np.concatenate([self.asked, queries[~outside]]).astype(np.int64)
        pairs = asked << 32 | np.concatenate([self.found, docs[~outside]])
        distinct, at = np.unique(pairs, return_inverse=True)
        counts = np.zeros(distinct.size)
        np.add.at(counts, at, np.concatenate([self.counts, weights[~outside]]))
        kept = counts > 0
        return UserHistory(
            items[own].astype(np.int32),
            use[own],
            touches[own],
            last[own],
            (distinct[kept] >> 32).astype(np.int32),
            (distinct[kept] & 0xFFFFFFFF).astype(np.int32),
            counts[kept],
        )

    def strength(self) -> Floats:
        """How much each own item is the user's, by `strength`; shape (n,), > 0."""
        return strength(self.use, self.touches)

    def recency(self, half_life: float) -> Floats:
        """Own items by their age relative to the user's latest, in (0, 1]; `half_life` in days."""
        return decayed(self.last.max(initial=-np.inf) - self.last, half_life * DAY)

    def after(self, query: int) -> tuple[Docs, Floats]:
        """The items this user found by a query, ascending, and their counts."""
        low, high = np.searchsorted(self.asked, (query, query + 1))
        return self.found[low:high], self.counts[low:high]


def strength(use: Floats, touches: Floats) -> Floats:
    """Touches plus compressed use, on a scale where a thousand plays are one touch; shape as both."""
    compressed: Floats = np.log1p(use) / np.log1p(1000.0)
    return touches + compressed


_OWN = ("docs", "use", "touches", "last")
_TYPES = {"docs": np.int32, "asked": np.int32, "found": np.int32}


def save_histories(users: Mapping[str, UserHistory], folder: Path) -> None:
    """Write histories under their users, in order, as JSON and .npy files."""
    kept = list(users.values())
    (folder / "users.json").write_text(json.dumps(list(users)))
    sizes = [(history.docs.size, history.asked.size) for history in kept]
    np.save(folder / "user_sizes.npy", np.array(sizes, np.int64).reshape(-1, 2))
    for part in fields(UserHistory):
        empty = np.empty(0, _TYPES.get(part.name, np.float64))
        joined = np.concatenate([empty, *(getattr(history, part.name) for history in kept)])
        np.save(folder / f"user_{part.name}.npy", joined)


def load_histories(folder: Path) -> dict[str, UserHistory]:
    """Read what `save_histories` wrote."""
    users: list[str] = json.loads((folder / "users.json").read_text())
    cuts = np.cumsum(np.load(folder / "user_sizes.npy"), axis=0)
    parts = []
    for part in fields(UserHistory):
        ends = cuts[:, 0 if part.name in _OWN else 1]
        parts.append(np.split(np.load(folder / f"user_{part.name}.npy"), ends)[: len(users)])
    return {
        user: UserHistory(*columns)
        for user, columns in zip(users, zip(*parts, strict=True), strict=True)
    }
