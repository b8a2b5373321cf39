"""Min-max score fusion (CombSUM after min-max: Fox and Shaw, TREC-2; Lee, SIGIR 1997)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rankers.base import Features, Floats, Judged, Ranker
from rankers.checks import check_columns, check_judged
from rankers.manifest import read_manifest, write_manifest
from rankers.ndcg import debiased_ndcg
from rankers.propensity import Examination

SUFFIX = ".score"
LADDER = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
"""The weights that coordinate ascent tries for each generator."""
QUERIES = 2000
"""`fit` reads at most this many queries with a label above 0, the latest."""


class MinMaxFusion(Ranker):
    """Σ over generators of weight · (score - min) / (max - min), over one query's candidates.

    Reads the columns named `<generator>.score`; NaN where the generator did not return the row,
    which then adds 0. Where a generator's scores are all equal they count 1: being returned is all
    they say. `weights` maps generators to numbers ≥ 0, 1 where none is given.
    """

    name: ClassVar[str] = "minmax"

    def __init__(
        self, feature_names: tuple[str, ...], *, weights: Mapping[str, float] | None = None
    ) -> None:
        self.feature_names = tuple(feature_names)
        columns = [i for i, name in enumerate(self.feature_names) if name.endswith(SUFFIX)]
        if not columns:
            raise ValueError(
                f"feature_names: found no column named `<generator>{SUFFIX}` among "
                f"{len(self.feature_names)}, expected one for each generator"
            )
        generators = [self.feature_names[i].removesuffix(SUFFIX) for i in columns]
        given = dict.fromkeys(generators, 1.0) | dict(weights or {})
        unknown = sorted(set(given) - set(generators))
        if unknown:
            raise ValueError(
                f"weights: found {unknown}, expected only generators among {generators}; a name "
                "is probably misspelt or its score column is missing"
            )
        values = np.array([given[name] for name in generators], np.float64)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ValueError(f"weights: found {given}, expected finite numbers ≥ 0")
        self.weights: dict[str, float] = dict(zip(generators, values.tolist(), strict=True))
        self._columns = columns

    def score(self, features: Features) -> NDArray[np.float32]:
        """Shape (n,), in [0, Σ weights]; `features` holds the candidates of one query."""
        check_columns(features, self.feature_names)
        return self._fuse(self._normalised(features), np.array(list(self.weights.values())))

    def fit(self, judged: Judged) -> None:
        """Replace the weights by those of the best mean nDCG@10 found by coordinate ascent.

        From equal weights, each generator in turn takes the weight of `LADDER` that raises the mean
        most, until a round over all of them raises it no more. Queries are weighted by the mean of
        their rows' weights. Without a label above 0 nothing changes.
        """
        check_judged(judged, self.feature_names)
        queries = np.repeat(np.arange(judged.queries), np.diff(judged.starts))
        labelled = np.unique(queries[judged.labels > 0])[-QUERIES:]
        if labelled.size == 0:
            return
        parts = [slice(judged.starts[i], judged.starts[i + 1]) for i in labelled]
        rows = np.concatenate([np.arange(part.start, part.stop) for part in parts])
        sizes = np.array([part.stop - part.start for part in parts])
        starts = np.r_[0, sizes.cumsum()].astype(np.int64)
        kept = Judged(
            judged.features[rows],
            judged.labels[rows],
            judged.weights[rows],
            judged.positions[rows],
            starts,
        )
        normalised = np.concatenate([self._normalised(judged.features[part]) for part in parts])
        best = _ascend(kept, normalised, np.add.reduceat(kept.weights, starts[:-1]) / sizes)
        self.weights = dict(zip(self.weights, best.tolist(), strict=True))

    def save(self, folder: Path) -> None:
        """Write the column names and weights."""
        settings = {"feature_names": self.feature_names, "weights": self.weights}
        write_manifest(folder, self.name, settings)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        settings, _ = read_manifest(folder, cls.name)
        return cls(tuple(settings["feature_names"]), weights=settings["weights"])

    def _normalised(self, features: Features) -> Floats:
        """Shape (n, generators), in [0, 1]."""
        values = np.ascontiguousarray(features[:, self._columns], np.float64)
        returned = np.isfinite(values)
        low = np.where(returned, values, np.inf).min(axis=0, initial=np.inf)
        high = np.where(returned, values, -np.inf).max(axis=0, initial=-np.inf)
        varied = returned & (high > low)
        out = returned.astype(np.float64)
        np.divide(values - low, high - low, out=out, where=varied)
        return out

    @staticmethod
    def _fuse(normalised: Floats, weights: Floats) -> NDArray[np.float32]:
        return np.asarray((normalised * weights).sum(axis=1), np.float32)


def _ascend(judged: Judged, normalised: Floats, importance: Floats) -> Floats:
    even = Examination.even()

    def quality(weights: Floats) -> float:
        values = debiased_ndcg(judged, (normalised * weights).sum(axis=1), even)
        return float(np.average(values, weights=importance))

    best = np.ones(normalised.shape[1])
    reached = quality(best)
    improved = True
    while improved:  # ends: the ladder is finite and every step is strictly better
        improved = False
        for column in range(best.size):
            for weight in LADDER:
                tried = best.copy()
                tried[column] = weight
                if tried.any() and (found := quality(tried)) > reached:
                    best, reached, improved = tried, found, True
    return best
