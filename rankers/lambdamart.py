"""LambdaMART (Burges, MSR-TR-2010-82) by LightGBM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rankers.base import Features, Floats, Judged, Ranker
from rankers.checks import check_columns, check_judged
from rankers.compiled import CompiledTrees, readers
from rankers.manifest import read_manifest, write_manifest

if TYPE_CHECKING:
    from lightgbm import Booster

MODEL = "model.txt"
GRADES = 256
"""Most distinct labels told apart; LightGBM wants whole grades and a table of their gains."""


class NotFittedError(RuntimeError):
    """A model was asked for scores before it learnt from anything."""


class LambdaMART(Ranker):
    """Gradient boosted trees on nDCG's pairwise gradients. NaN features are missing values.

    A row's score does not depend on the rows beside it. Scores come from compiled trees where these
    give what LightGBM gives (see `compiled`), from LightGBM elsewhere. The defaults were chosen on LETOR's MQ2008,
    four-fold, and on held-out clicks of two logs; stopping early on held-out queries was no better there and is
    not offered. `colsample` is the share of the features looked at for each split, `colsample_tree` of
    those for each tree, whose columns LightGBM copies: drawn so they take half as long again to train.

    `position_debias` lets LightGBM learn an additive effect of `Judged.positions` beside the trees
    (left out of scores; `position_regularization` shrinks it), the alternative to reweighting the
    clicks. `truncation` is the number of top rows whose pairs are learnt from. Same `seed` and same
    data give the same model whatever `n_jobs` is.
    """

    name: ClassVar[str] = "lambdamart"

    def __init__(
        self,
        feature_names: tuple[str, ...],
        *,
        n_estimators: int = 200,
        learning_rate: float = 0.045,
        num_leaves: int = 15,
        min_child_samples: int = 20,
        subsample: float = 0.8,
        colsample: float = 0.5,
        colsample_tree: float = 1.0,
        truncation: int = 30,
        position_debias: bool = False,
        position_regularization: float = 0.0,
        n_jobs: int = 1,
        seed: int = 0,
    ) -> None:
        self.feature_names = tuple(feature_names)
        for name, value in (
            ("n_estimators", n_estimators),
            ("learning_rate", learning_rate),
            ("truncation", truncation),
            ("n_jobs", n_jobs),
        ):
            if not value > 0:
                raise ValueError(f"{name}: found {value}, expected a number above 0")
        self.settings: dict[str, Any] = {
            "n_estimators": n_estimators,
            "learning_rate": learning_rate,
            "num_leaves": num_leaves,
            "min_child_samples": min_child_samples,
            "subsample": subsample,
            "colsample": colsample,
            "colsample_tree": colsample_tree,
            "truncation": truncation,
            "position_debias": position_debias,
            "position_regularization": position_regularization,
            "n_jobs": n_jobs,
            "seed": seed,
        }
        self._model: str | None = None
        self._booster: Booster | None = None
        self._trees: CompiledTrees | None = None

    @property
    def fitted(self) -> bool:
        """Whether there is a model to score with."""
        return self._booster is not None

    @property
    def model(self) -> str | None:
        """The trees in LightGBM's text form, None before a fit."""
        return self._model

    @property
    def compiled(self) -> bool:
        """Whether scores come from compiled trees."""
        return self._trees is not None

    def score(self, features: Features) -> NDArray[np.float32]:
        """Shape (n,). NotFittedError before a fit that had something to learn from."""
        return self._predict(features, contributions=False).astype(np.float32)

    def contributions(self, features: Features) -> Floats:
        """Shape (n, d + 1): what each feature adds to each row's score, the last column the base.

        SHAP values of the trees (Lundberg et al., 2018); a row's sum is its score.
        """
        return self._predict(features, contributions=True).reshape(
            len(features), len(self.feature_names) + 1
        )

    def fit(self, judged: Judged) -> None:
        """Learn anew from `judged`, forgetting the model before.

        Gain is linear in the label. LightGBM wants whole grades: each distinct label is a grade with
        the label as its gain, so nothing is lost; beyond `GRADES` distinct labels they are rounded
        to that many equal steps up to the largest, those above 0 never to 0. `weights` multiply the
        gradients of their rows. Queries whose labels are all equal say nothing of order and are left
        out; where only such are given, nothing changes.
        """
        check_judged(judged, self.feature_names)
        rows, sizes = _informative(judged)
        if rows.size:
            self._model = self._train(judged, rows, sizes)
            self._booster, self._trees = readers(self._model, len(self.feature_names))

    def save(self, folder: Path) -> None:
        """Write the settings and, once fitted, the model in LightGBM's text form."""
        files = []
        if self._model is not None:
            (folder / MODEL).write_text(self._model, encoding="utf-8", newline="")
            files.append(MODEL)
        settings = {"feature_names": self.feature_names, **self.settings}
        write_manifest(folder, self.name, settings, files)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. ValueError where a file is not the one saved."""
        settings, files = read_manifest(folder, cls.name)
        ranker = cls(tuple(settings.pop("feature_names")), **settings)
        if MODEL in files:
            ranker._model = (folder / MODEL).read_bytes().decode("utf-8")
            ranker._booster, ranker._trees = readers(ranker._model, len(ranker.feature_names))
        return ranker

    def _predict(self, features: Features, *, contributions: bool) -> Floats:
        check_columns(features, self.feature_names)
        if self._booster is None:
            raise NotFittedError(
                "LambdaMART: asked for scores before `fit` had a query whose labels differ; rank by "
                "a fusion rule until there are clicks"
            )
        if len(features) == 0:
            return np.empty(0)
        if self._trees is not None and not contributions:
            return self._trees.score(features)
        # One thread: at a few hundred rows, starting more costs more than it saves, and searches
        # already run beside each other.
        return np.asarray(
            self._booster.predict(features, num_threads=1, pred_contrib=contributions), np.float64
        )

    def _train(self, judged: Judged, rows: NDArray[np.int64], sizes: NDArray[np.int64]) -> str:
        import lightgbm

        chosen = self.settings
        grades, gains = _graded(judged.labels[rows])
        params = {
            "objective": "lambdarank",
            "label_gain": gains.tolist(),
            "lambdarank_truncation_level": chosen["truncation"],
            "lambdarank_position_bias_regularization": chosen["position_regularization"],
            "learning_rate": chosen["learning_rate"],
            "num_leaves": chosen["num_leaves"],
            "min_data_in_leaf": chosen["min_child_samples"],
            "bagging_fraction": chosen["subsample"],
            "bagging_freq": int(chosen["subsample"] < 1),
            "feature_fraction_bynode": chosen["colsample"],
            "feature_fraction": chosen["colsample_tree"],
            "num_threads": chosen["n_jobs"],
            "seed": chosen["seed"],
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(
            np.ascontiguousarray(judged.features[rows], np.float32),
            grades,
            weight=judged.weights[rows],
            group=sizes,
            position=judged.positions[rows] if chosen["position_debias"] else None,
            params=params,
        )
        return lightgbm.train(
            params, data, num_boost_round=chosen["n_estimators"]
        ).model_to_string()


def _informative(judged: Judged) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the queries whose labels differ, and those queries' sizes."""
    sizes = np.diff(judged.starts)
    queries = np.repeat(np.arange(sizes.size), sizes)
    first = judged.labels[np.repeat(judged.starts[:-1], sizes)]
    differs = np.bincount(queries, judged.labels != first, sizes.size) > 0
    return np.flatnonzero(differs[queries]), sizes[differs]


def _graded(labels: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Grades (n,) and the gain of each grade, see `LambdaMART.fit`."""
    gains, grades = np.unique(labels, return_inverse=True)
    if gains.size <= GRADES:
        return grades.astype(np.int64), gains
    steps = GRADES - 1
    rounded = np.maximum(np.rint(labels / labels.max() * steps), labels > 0)
    return rounded.astype(np.int64), np.arange(GRADES) / steps * labels.max()
