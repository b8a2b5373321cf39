"""Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rankers.base import Features, Judged, Ranker
from rankers.checks import check_columns, check_judged
from rankers.manifest import read_manifest, write_manifest

SUFFIX = ".rank"


class ReciprocalRankFusion(Ranker):
    """Σ over generators of 1 / (k + r), r = 1 for the generator's best document.

    Reads the columns named `<generator>.rank`: 0-based ranks, NaN (or negative) where the
    generator did not return the row, which then adds 0. A row's score does not depend on the
    other rows. Nothing is learnt.
    """

    name: ClassVar[str] = "rrf"

    def __init__(self, feature_names: tuple[str, ...], *, k: float = 60.0) -> None:
        self.feature_names = tuple(feature_names)
        columns = [i for i, name in enumerate(self.feature_names) if name.endswith(SUFFIX)]
        if not columns:
            raise ValueError(
                f"feature_names: found no column named `<generator>{SUFFIX}` among "
                f"{len(self.feature_names)}, expected one for each generator"
            )
        if not (np.isfinite(k) and k > -1):
            raise ValueError(f"k: found {k}, expected a finite number above -1 (60 is usual)")
        self.k = float(k)
        self._columns = columns

    def score(self, features: Features) -> NDArray[np.float32]:
        """Shape (n,), in [0, generators / (k + 1)]."""
        check_columns(features, self.feature_names)
        ranks = np.ascontiguousarray(features[:, self._columns], np.float64)
        returned = ranks >= 0
        gains = np.zeros(ranks.shape)
        gains[returned] = 1.0 / (self.k + 1.0 + ranks[returned])
        return np.asarray(gains.sum(axis=1), np.float32)

    def fit(self, judged: Judged) -> None:
        """Check `judged` and do nothing: the rule has no parameters to learn."""
        check_judged(judged, self.feature_names)

    def save(self, folder: Path) -> None:
        """Write the column names and k."""
        write_manifest(folder, self.name, {"feature_names": self.feature_names, "k": self.k})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        settings, _ = read_manifest(folder, cls.name)
        return cls(tuple(settings["feature_names"]), k=settings["k"])
