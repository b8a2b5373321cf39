"""What `learn` keeps of each generator's past, so that a plan can be chosen before any has run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.hindsight import TYPES, Answers
from engine.tallies import Tallies

Floats = NDArray[np.float64]

ACTION_FEATURES = (
    "found_overall",
    "found_kind",
    "found_user",
    "found_query",
    "alone_kind",
    "alone_query",
    "fill",
    "gap",
    "type_focus",
)
COLD_FOUND = 0.3
"""What a generator asked in full is taken to find of a click before anything is known of it."""
COLD_SHARED = 0.2
"""Share of the shallower rung that two generators are taken to share before it is known."""
COLD_WEIGHT = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One search looked back on, or later clicks of one (`late`). `found` and `alone` (s, L): rewards without and with the rest of
    the played plan taken away; `clicks`: the weight of its clicks; `answers` where it was kept."""

    kind: str
    user: str | None
    query: str
    clicks: float
    found: Floats
    alone: Floats
    answers: Answers | None = None
    late: bool = False


class PlanStatistics:
    """Per generator and rung: successes, result counts, score gaps, types returned, overlaps.

    For all searches, kinds of query, users and normalised queries. `observe` replaces the arrays,
    so that a `copy.copy` stays as it is.
    """

    def __init__(self, s: int, ladder: Sequence[int]) -> None:
        self.ladder = np.asarray(ladder, np.int32)
        rungs = self.ladder.size
        self._shape = (s, rungs)
        self.overall, self.kinds = Tallies(s, rungs), Tallies(s, rungs)
        self.users, self.queries = Tallies(s, rungs), Tallies(s, rungs)
        self._answered: dict[str, int] = {"": 0}
        self._counts = np.zeros(1)
        self._sums: dict[str, Floats] = {
            "sizes": np.zeros((1, s)),
            "gaps": np.zeros((1, s)),
            "shared": np.zeros((1, s, rungs, s, rungs)),
            "types": np.zeros((1, s, TYPES)),
        }
        rise = 1.0 - np.exp(-self.ladder / 20.0)
        cold = np.broadcast_to(COLD_FOUND * rise / rise[-1], self._shape)
        self._cold_rates = (cold, cold / s)
        shallower = np.minimum(self.ladder[:, None], self.ladder).astype(np.float64)
        same = np.eye(s)[:, None, :, None]
        self._cold_shared = shallower[None, :, None, :] * (same + (1.0 - same) * COLD_SHARED)

    def observe(self, batch: Sequence[Observation]) -> None:
        """Add searches looked back on."""
        if not batch:
            return
        clicks = np.array([o.clicks for o in batch])
        found, alone = np.stack([o.found for o in batch]), np.stack([o.alone for o in batch])
        known = np.array([o.user is not None for o in batch])
        new = np.array([0.0 if o.late else 1.0 for o in batch])
        self.overall.add([""] * len(batch), new, clicks, found, alone)
        self.kinds.add([o.kind for o in batch], new, clicks, found, alone)
        self.queries.add([o.query for o in batch], new, clicks, found, alone)
        users = [o.user for o in batch if o.user is not None]
        self.users.add(users, new[known], clicks[known], found[known], alone[known])
        self.look_at(batch)

    def look_at(self, batch: Sequence[Observation]) -> None:
        """Add what the generators returned, and nothing of what was wanted."""
        kept = [(o.kind, o.answers) for o in batch if o.answers is not None]
        rows_of = dict(self._answered)
        for kind, _ in kept:
            rows_of.setdefault(kind, len(rows_of))
        new = len(rows_of) - self._counts.shape[0]
        sums = {
            name: np.concatenate([array, np.zeros((new, *array.shape[1:]))])
            for name, array in self._sums.items()
        }
        counts = np.concatenate([self._counts, np.zeros(new)])
        for kind, answers in kept:
            rows = [0, rows_of[kind]]
            counts[rows] += 1.0
            sums["sizes"][rows] += answers.sizes
            sums["gaps"][rows] += answers.gaps
            sums["shared"][rows] += answers.shared
            sums["types"][rows] += answers.types
        self._answered, self._counts, self._sums = rows_of, counts, sums

    def _mean(self, name: str, kind: str, cold: Floats) -> Floats:
        """The kind's mean, drawn towards that of all searches, itself towards `cold`."""
        sums = self._sums[name]
        wide = (sums[0] + COLD_WEIGHT * cold) / (self._counts[0] + COLD_WEIGHT)
        row = self._answered.get(kind)
        if row is None:
            mean: Floats = wide
        else:
            mean = (sums[row] + COLD_WEIGHT * wide) / (self._counts[row] + COLD_WEIGHT)
        return mean

    def overlap(self, kind: str) -> Floats:
        """Shape (s, L, s, L): documents expected in common, the diagonal being result counts."""
        return self._mean("shared", kind, self._cold_shared)

    def rates(self, kind: str, user: str | None, query: str) -> dict[str, tuple[Floats, Floats]]:
        """Per group: (found, alone) per click, each (s, L), smoothed towards the wider group."""
        overall = self.overall.smoothed("", self._cold_rates)
        of_kind = self.kinds.smoothed(kind, overall)
        return {
            "overall": overall,
            "kind": of_kind,
            "user": self.users.smoothed(user, of_kind),
            "query": self.queries.smoothed(query, of_kind),
        }

    def action_features(self, kind: str, user: str | None, query: str) -> Floats:
        """Shape (s, L, a), columns as in `ACTION_FEATURES`; rates are those a rung adds."""
        s, rungs = self._shape
        rates = self.rates(kind, user, query)
        features = np.zeros((s, rungs, len(ACTION_FEATURES)))
        columns = (
            rates["overall"][0], rates["kind"][0], rates["user"][0], rates["query"][0],
            rates["kind"][1], rates["query"][1],
        )  # fmt: skip
        for column, cumulative in enumerate(columns):
            features[:, 1:, column] = np.diff(cumulative, axis=1)
        shared = self.overlap(kind)
        sizes = shared[np.arange(s), :, np.arange(s), :][:, np.arange(rungs), np.arange(rungs)]
        features[:, 1:, 6] = np.diff(sizes, axis=1) / np.diff(self.ladder)
        features[:, 1:, 7] = self._mean("gaps", kind, np.zeros(s))[:, None]
        features[:, 1:, 8] = self._mean("types", kind, np.zeros((s, TYPES))).max(axis=1)[:, None]
        return features

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        for name in ("overall", "kinds", "users", "queries"):
            getattr(self, name).save(folder / name)
        np.savez(
            folder / "answered.npz", counts=self._counts, sizes=self._sums["sizes"],
            gaps=self._sums["gaps"], shared=self._sums["shared"], types=self._sums["types"],
        )  # fmt: skip
        about = {"generators": self._shape[0], "ladder": self.ladder.tolist(),
                 "answered": list(self._answered)}  # fmt: skip
        (folder / "statistics.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        about = json.loads((folder / "statistics.json").read_text("utf-8"))
        statistics = cls(about["generators"], about["ladder"])
        for name in ("overall", "kinds", "users", "queries"):
            getattr(statistics, name).restore(folder / name)
        with np.load(folder / "answered.npz", allow_pickle=False) as arrays:
            statistics._counts = arrays["counts"]
            statistics._sums = {name: arrays[name] for name in statistics._sums}
        statistics._answered = {kind: row for row, kind in enumerate(about["answered"])}
        return statistics

    def __copy__(self) -> Self:
        other = type(self)(self._shape[0], self.ladder.tolist())
        other.__dict__.update(self.__dict__)
        for name in ("overall", "kinds", "users", "queries"):
            group = getattr(self, name)
            twin = Tallies(*self._shape)
            twin.__dict__.update(group.__dict__)
            setattr(other, name, twin)
        return other
