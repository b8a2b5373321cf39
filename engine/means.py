"""Means by key of several arrays at once, each drawn towards the mean over all keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDER = 5.0
"""Observations' worth of weight that all keys have in the mean of one, and a prior has in theirs."""


class Means:
    """Weighted sums by key; `add` replaces them, so that a `copy.copy` stays as it is."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._row_of: dict[str, int] = {}
        # Row 0 is over all keys.
        self._weights = np.zeros(1)
        self._sums = {name: np.zeros((1, *shape)) for name, shape in shapes.items()}

    def add(
        self, entries: Iterable[tuple[str, float, Mapping[str, Floats]]], kept: float = 1.0
    ) -> None:
        """Add (key, weight, weighted arrays) of one observation after the other; what was known before counts a
        share `kept` in (0, 1] of what it did."""
        given = list(entries)
        row_of = dict(self._row_of)
        for key, _, _ in given:
            row_of.setdefault(key, len(row_of) + 1)
        new = len(row_of) + 1 - self._weights.size
        weights = np.concatenate([self._weights * kept, np.zeros(new)])
        sums = {
            name: np.concatenate([array * kept, np.zeros((new, *array.shape[1:]))])
            for name, array in self._sums.items()
        }
        for key, weight, arrays in given:
            for row in (0, row_of[key]):
                weights[row] += weight
                for name, array in arrays.items():
                    sums[name][row] += array
        self._row_of, self._weights, self._sums = row_of, weights, sums

    def mean(self, name: str, key: str, prior: Floats) -> Floats:
        """The key's mean, drawn towards that of all keys, itself drawn towards `prior`."""
        sums = self._sums[name]
        mean: Floats = (sums[0] + WIDER * prior) / (self._weights[0] + WIDER)
        row = self._row_of.get(key)
        if row is not None:
            mean = (sums[row] + WIDER * mean) / (self._weights[row] + WIDER)
        return mean

    def save(self, path: Path) -> None:
        """Write as one .npz file and one .json file beside it."""
        arrays: dict[str, Any] = {**self._sums, "weights": self._weights}
        np.savez(path.with_suffix(".npz"), **arrays)
        text = json.dumps(list(self._row_of), ensure_ascii=False)
        path.with_suffix(".json").write_text(text, encoding="utf-8")

    def restore(self, path: Path) -> None:
        """Read what `save` wrote."""
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
            self._weights = arrays["weights"]
            self._sums = {name: arrays[name] for name in self._sums}
        keys = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        self._row_of = {key: row for row, key in enumerate(keys, start=1)}
