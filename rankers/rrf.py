"""Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rankers.base import Features, Judged, Ranker
from rankers.checks import check_columns, check_judged
from rankers.manifest import read_manifest, write_manifest

SUFFIX = ".rank"


class ReciprocalRankFusion(Ranker):
    """Σ over generators of weight / (k + r), r = 1 for the generator's best document.

    Reads the columns named `<generator>.rank`: 0-based ranks, NaN (or negative) where the
    generator did not return the row, which then adds 0. A row's score does not depend on the
    other rows. Nothing is learnt. `weights`: by generator, 1 where it is not named; a small one keeps
    a generator that heeds no query from outvoting those that do. `added`: by column, what its value
    is taken times before it joins the sum, NaN as 0; one that is not among the columns adds nothing.
    """

    name: ClassVar[str] = "rrf"

    def __init__(
        self,
        feature_names: tuple[str, ...],
        *,
        k: float = 60.0,
        weights: Mapping[str, float] | None = None,
        added: Mapping[str, float] | None = None,
    ) -> None:
        self.feature_names = tuple(feature_names)
        columns = [i for i, name in enumerate(self.feature_names) if name.endswith(SUFFIX)]
        if not columns:
            raise ValueError(
                f"feature_names: found no column named `<generator>{SUFFIX}` among "
                f"{len(self.feature_names)}, expected one for each generator"
            )
        if not (np.isfinite(k) and k > -1):
            raise ValueError(f"k: found {k}, expected a finite number above -1 (60 is usual)")
        given = dict(weights or {})
        if not all(np.isfinite(weight) and weight >= 0 for weight in given.values()):
            raise ValueError(f"weights: found {given}, expected finite numbers of at least 0")
        beside = dict(added or {})
        if not all(np.isfinite(factor) for factor in beside.values()):
            raise ValueError(f"added: found {beside}, expected finite numbers")
        self.k = float(k)
        self.weights = given
        self.added = beside
        self._columns = columns
        names = [self.feature_names[i].removesuffix(SUFFIX) for i in columns]
        self._factors = np.array([given.get(name, 1.0) for name in names])
        self._added = [
            (self.feature_names.index(n), f) for n, f in beside.items() if n in feature_names
        ]

    def score(self, features: Features) -> NDArray[np.float32]:
        """Shape (n,), in [0, generators / (k + 1)] where all weights are 1 and nothing is added."""
        check_columns(features, self.feature_names)
        ranks = np.ascontiguousarray(features[:, self._columns], np.float64)
        returned = ranks >= 0
        gains = np.zeros(ranks.shape)
        gains[returned] = 1.0 / (self.k + 1.0 + ranks[returned])
        scores = gains @ self._factors
        for column, factor in self._added:
            scores += factor * np.nan_to_num(features[:, column])
        return np.asarray(scores, np.float32)

    def fit(self, judged: Judged) -> None:
        """Check `judged` and do nothing: the rule has no parameters to learn."""
        check_judged(judged, self.feature_names)

    def save(self, folder: Path) -> None:
        """Write the column names and k."""
        write_manifest(
            folder,
            self.name,
            {
                "feature_names": self.feature_names,
                "k": self.k,
                "weights": self.weights,
                "added": self.added,
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        settings, _ = read_manifest(folder, cls.name)
        return cls(
            tuple(settings["feature_names"]),
            k=settings["k"],
            weights=settings["weights"],
            added=settings["added"],
        )
