"""What a ranker sees and learns from: arrays only. q queries; n rows; d features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Judged candidates, grouped by query.

    `features` (n, d), NaN where unknown; `labels` (n,): gain of each row, ≥ 0; `weights` (n,) > 0;
    `positions` (n,): where the row was shown, 1 = top, 0 = not shown; `starts` (q + 1,): rows
    starts[i]:starts[i + 1] belong to query i.
    """

    features: Features
    labels: Floats
    weights: Floats
    positions: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = self.features.shape[0]
        for name in ("labels", "weights", "positions"):
            found = getattr(self, name).shape
            if found != (n,):
                raise ValueError(f"Judged.{name}: found shape {found}, expected ({n},)")
        if self.starts.size == 0 or self.starts[0] != 0 or self.starts[-1] != n:
            raise ValueError(
                f"Judged.starts: must run from 0 to the number of rows, {n}; found "
                f"{self.starts[:1].tolist()} to {self.starts[-1:].tolist()}"
            )

    @property
    def queries(self) -> int:
        """q, the number of queries."""
        return int(self.starts.size - 1)


class Ranker(ABC):
    """Scores candidates. `fit` replaces the state; a `copy.copy` taken before scores as before."""

    name: ClassVar[str]
    feature_names: tuple[str, ...]

    @abstractmethod
    def score(self, features: Features) -> NDArray[np.float32]:
        """Shape (n,), finite, higher is better. Set-relative rules (fusion) read `features` as one query's."""

    @abstractmethod
    def fit(self, judged: Judged) -> None:
        """Learn from judged candidates; a rule without parameters does nothing."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the state into an existing empty folder. No pickle."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the loaded ranker scores to the byte as the saved one."""
