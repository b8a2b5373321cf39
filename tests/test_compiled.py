"""Compiled trees: the scores of LightGBM on any model and any row, or LightGBM itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankers import Judged, LambdaMART
from rankers.compiled import LEAVES, CompiledTrees, Unsupported


def booster(
    seed: int, rows: int = 400, columns: int = 6, categories: tuple[int, ...] = (), **options: Any
) -> lightgbm.Booster:
    """A small model; some columns have missing values, others none, one is mostly zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns)).astype(np.float32)
    x[rng.random(x.shape) < 0.2] = np.nan
    x[:, 0] = np.abs(rng.normal(size=rows))
    x[:, 1] = np.maximum(rng.normal(size=rows) - 1, 0)
    y = (np.nan_to_num(x[:, :3]).sum(axis=1) + rng.normal(size=rows) > 1).astype(int)
    params = {
        "objective": "lambdarank", "num_leaves": 15, "min_data_in_leaf": 5, "verbosity": -1,
        "num_threads": 1, "deterministic": True, **options,
    }  # fmt: skip
    for column in categories:
        x[:, column] = rng.integers(0, 5, rows)
    data = lightgbm.Dataset(
        x, y, group=[20] * (rows // 20), params=params, categorical_feature=list(categories)
    )
    trained = lightgbm.train(params, data, num_boost_round=20)
    return lightgbm.Booster(model_str=trained.model_to_string())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), leaves=st.integers(2, LEAVES), rows=st.integers(0, 600))
def test_scores_are_those_of_lightgbm_to_the_bit(seed: int, leaves: int, rows: int) -> None:
    model = booster(seed, num_leaves=leaves)
    trees = CompiledTrees.of(model.model_to_string())
    sample = trees.sample(6, rows, seed)
    expected = model.predict(sample, num_threads=1) if rows else np.empty(0)
    np.testing.assert_array_equal(trees.score(sample), expected)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-38, -1e-35, 3e38])
def test_extreme_values_go_the_way_they_go_in_lightgbm(value: float) -> None:
    model = booster(1)
    trees = CompiledTrees.of(model.model_to_string())
    sample = trees.sample(6, 60)
    for column in range(6):
        sample[column::6, column] = value
    np.testing.assert_array_equal(trees.score(sample), model.predict(sample, num_threads=1))


def test_a_model_without_a_split_is_a_constant() -> None:
    model = booster(0, min_data_in_leaf=400)
    trees = CompiledTrees.of(model.model_to_string())
    sample = np.zeros((3, 6), np.float32)
    np.testing.assert_array_equal(trees.score(sample), model.predict(sample, num_threads=1))


@pytest.mark.parametrize(
    "options",
    [{"num_leaves": LEAVES + 32, "min_data_in_leaf": 1}, {"zero_as_missing": True}, {"categories": (0, 2)}],
    ids=["large trees", "zeros as missing", "categories"],
)  # fmt: skip
def test_what_is_not_compiled_is_said(options: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        CompiledTrees.of(booster(0, **options).model_to_string())


def clicked(seed: int) -> Judged:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(600, 3)).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    labels = (np.nan_to_num(features[:, 0]) > 0.8).astype(np.float64)
    return Judged(features, labels, np.ones(600), np.zeros(600, np.int32), np.arange(0, 601, 10))


def test_the_ranker_scores_by_compiled_trees(tmp_path: Path) -> None:
    ranker = LambdaMART(("a", "b", "c"), n_estimators=30)
    ranker.fit(clicked(0))
    assert ranker.compiled
    features = clicked(1).features
    by_contributions = ranker.contributions(features).sum(axis=1)
    np.testing.assert_allclose(ranker.score(features), by_contributions, atol=1e-6)
    ranker.save(tmp_path)
    loaded = LambdaMART.load(tmp_path)
    assert loaded.compiled
    assert loaded.score(features).tobytes() == ranker.score(features).tobytes()


def test_trees_that_score_otherwise_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    right = CompiledTrees.of

    def wrong(model: str) -> CompiledTrees:
        trees = right(model)
        return replace(trees, thresholds=trees.thresholds + np.float32(0.25))

    ranker = LambdaMART(("a", "b", "c"), n_estimators=30)
    ranker.fit(clicked(0))
    expected = ranker.score(clicked(1).features)
    monkeypatch.setattr(CompiledTrees, "of", staticmethod(wrong))
    ranker.fit(clicked(0))
    assert not ranker.compiled
    np.testing.assert_allclose(ranker.score(clicked(1).features), expected, atol=1e-6)


def test_large_trees_are_scored_by_lightgbm() -> None:
    ranker = LambdaMART(("a", "b", "c"), n_estimators=5, num_leaves=64, min_child_samples=1)
    noise = np.random.default_rng(0).integers(0, 2, 600).astype(np.float64)
    ranker.fit(replace(clicked(0), labels=noise))
    assert not ranker.compiled
    assert np.isfinite(ranker.score(clicked(1).features)).all()
