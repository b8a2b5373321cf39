"""What each generator and rung found, summed by key and smoothed towards a wider group when read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDER = 8.0
"""Clicks' worth of weight that the wider group has in the estimate of the narrower one."""


class Tallies:
    """Sums by key; `add` replaces them, so that a `copy.copy` stays as it is."""

    def __init__(self, s: int, rungs: int) -> None:
        self.row_of: dict[str, int] = {}
        self.searches = np.zeros(0)
        self.clicks = np.zeros(0)
        self.found = np.zeros((0, s, rungs))

    def add(self, keys: list[str], searches: Floats, clicks: Floats, found: Floats) -> None:
        """Add a batch; `keys`, `searches` and `clicks` (b,), `found` (b, s, L)."""
        row_of = dict(self.row_of)
        rows = np.array([row_of.setdefault(key, len(row_of)) for key in keys], np.int64)
        new = len(row_of) - self.clicks.shape[0]

        def grown(sums: Floats, values: Floats) -> Floats:
            sums = np.concatenate([sums, np.zeros((new, *sums.shape[1:]))])
            np.add.at(sums, rows, values)
            return sums

        self.searches = grown(self.searches, searches)
        self.clicks = grown(self.clicks, clicks)
        self.found = grown(self.found, found)
        self.row_of = row_of

    def counts(self, key: str) -> tuple[float, float]:
        """(searches, weight of clicks) of a key."""
        row = self.row_of.get(key)
        return (0.0, 0.0) if row is None else (float(self.searches[row]), float(self.clicks[row]))

    def smoothed(self, key: str | None, wider: Floats) -> Floats:
        """Shape (s, L): weight found per click, drawn towards the wider group's."""
        row = None if key is None else self.row_of.get(key)
        if row is None:
            return wider
        smoothed: Floats = (self.found[row] + WIDER * wider) / (self.clicks[row] + WIDER)
        return smoothed

    def save(self, path: Path) -> None:
        """Write as one .npz file and one .json file beside it."""
        np.savez(
            path.with_suffix(".npz"),
            searches=self.searches,
            clicks=self.clicks,
            found=self.found,
        )
        text = json.dumps(list(self.row_of), ensure_ascii=False)
        path.with_suffix(".json").write_text(text, encoding="utf-8")

    def restore(self, path: Path) -> None:
        """Read what `save` wrote."""
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
            self.searches, self.clicks = arrays["searches"], arrays["clicks"]
            self.found = arrays["found"]
        keys = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        self.row_of = {key: row for row, key in enumerate(keys)}
