"""Decayed counts of rows: what a query's clicks have been, kept so that they can be saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Docs
from retrievers.decay import decayed

Floats = NDArray[np.float64]

KEPT = 1000
"""How many of a tally's rows are ordered by count, so how many it can name as candidates."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Counts of some rows as they stood at the time `at`, in POSIX seconds.

    `docs` (n,): distinct rows, ascending; `weights` (n,): their counts, negative where skips
    outweigh; `strongest`: positions in `docs`, the highest count first, ties by row, at most
    `KEPT`; `total`: the sum of the positive counts.
    """

    docs: Docs
    weights: Floats
    at: float
    strongest: NDArray[np.int32]
    total: float

    @classmethod
    def of(cls, docs: Docs, weights: Floats, at: float) -> Self:
        """From ascending distinct rows and their counts."""
        order = np.argsort(-weights, kind="stable")[:KEPT].astype(np.int32)
        return cls(docs, weights, at, order, float(weights[weights > 0].sum()))

    @classmethod
    def none(cls) -> Self:
        """No counts."""
        return cls.of(np.empty(0, np.int32), np.empty(0), -np.inf)

    def plus(self, docs: Docs, weights: Floats, times: Floats, half_life: float) -> Tally:
        """With more counts, each decayed from its own time to the newest; `half_life` in seconds."""
        at = max(self.at, float(times.max()))
        known = self.weights * decayed(at - self.at, half_life) if self.docs.size else self.weights
        joined = np.concatenate([self.docs, docs])
        distinct, where = np.unique(joined, return_inverse=True)
        sums = np.bincount(
            where, np.concatenate([known, weights * decayed(at - times, half_life)]), distinct.size
        ).astype(np.float64)
        return Tally.of(distinct.astype(np.int32), sums, at)

    def top(self, n: int) -> tuple[Docs, Floats]:
        """The n rows with the highest counts, and these; never more than `KEPT`."""
        chosen = self.strongest[:n]
        return self.docs[chosen], self.weights[chosen]

    def look_up(self, docs: Docs) -> Floats:
        """The count of each given row, 0 where it has none; shape as `docs`."""
        return look_up(self.docs, self.weights, docs)


def look_up(keys: Docs, values: Floats, docs: Docs) -> Floats:
    """`values` at the ascending `keys` equal to each of `docs`, 0 where there is none."""
    if keys.size == 0:
        return np.zeros(docs.size)
    at = np.minimum(np.searchsorted(keys, docs), keys.size - 1)
    return np.where(keys[at] == docs, values[at], 0.0)


def save_tallies(tallies: Mapping[str, Tally], folder: Path, name: str) -> None:
    """Write tallies under their keys, in order, as `name`.json and .npy files."""
    kept = list(tallies.values())
    (folder / f"{name}.json").write_text(json.dumps(list(tallies)))
    np.save(folder / f"{name}_sizes.npy", np.array([t.docs.size for t in kept], np.int64))
    np.save(folder / f"{name}_at.npy", np.array([t.at for t in kept], np.float64))
    np.save(
        folder / f"{name}_docs.npy",
        np.concatenate([np.empty(0, np.int32), *(t.docs for t in kept)]),
    )
    np.save(
        folder / f"{name}_weights.npy", np.concatenate([np.empty(0), *(t.weights for t in kept)])
    )


def load_tallies(folder: Path, name: str) -> dict[str, Tally]:
    """Read what `save_tallies` wrote."""
    keys: list[str] = json.loads((folder / f"{name}.json").read_text())
    cuts = np.cumsum(np.load(folder / f"{name}_sizes.npy"))[:-1]
    docs = np.split(np.load(folder / f"{name}_docs.npy"), cuts)
    weights = np.split(np.load(folder / f"{name}_weights.npy"), cuts)
    at = np.load(folder / f"{name}_at.npy").tolist()
    # With no keys np.split still gives one empty part, which zip drops.
    return {key: Tally.of(d, w, t) for key, d, w, t in zip(keys, docs, weights, at, strict=False)}
