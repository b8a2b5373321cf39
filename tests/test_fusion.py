"""Fusion rules against arithmetic done by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rankers import Judged, MinMaxFusion, ReciprocalRankFusion

NAN = np.nan
RANKS = ("bm25.rank", "dense.rank", "age")
SCORES = ("bm25.score", "dense.score", "age")


def matrix(*rows: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_rrf_adds_reciprocal_ranks() -> None:
    scores = ReciprocalRankFusion(RANKS).score(
        matrix((0, 2, 9), (1, 0, 9), (NAN, 1, 9), (2, NAN, 9), (NAN, NAN, 9))
    )
    expected = [
        1 / (60 + 1) + 1 / (60 + 3),
        1 / (60 + 2) + 1 / (60 + 1),
        1 / (60 + 2),
        1 / (60 + 3),
        0,
    ]
    np.testing.assert_array_equal(scores, np.array(expected, np.float32))


def test_rrf_reads_other_k_and_minus_one_as_not_returned() -> None:
    scores = ReciprocalRankFusion(RANKS, k=1).score(matrix((0, -1, 9), (3, 0, 9)))
    np.testing.assert_array_equal(scores, np.array([1 / 2, 1 / 5 + 1 / 2], np.float32))


def test_minmax_scales_each_generator_to_one() -> None:
    scores = MinMaxFusion(SCORES).score(
        matrix((10, 0.5, 9), (4, 0.1, 9), (6, NAN, 9), (NAN, 0.2, 9), (NAN, NAN, 9))
    )
    expected = [1 + 1, 0 + 0, (6 - 4) / (10 - 4), (0.2 - 0.1) / (0.5 - 0.1), 0]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_minmax_counts_a_constant_column_as_one_where_returned() -> None:
    scores = MinMaxFusion(SCORES).score(matrix((7, NAN, 9), (7, 3, 9), (NAN, NAN, 9)))
    np.testing.assert_array_equal(scores, np.array([1, 1 + 1, 0], np.float32))


def test_minmax_weighs_generators() -> None:
    fusion = MinMaxFusion(SCORES, weights={"dense": 0.5})
    scores = fusion.score(matrix((2, 0, 9), (1, 4, 9), (0, 1, 9)))
    np.testing.assert_allclose(scores, [1 * 1 + 0.5 * 0, 0.5 + 0.5 * 1, 0 + 0.5 / 4])
    assert fusion.weights == {"bm25": 1.0, "dense": 0.5}


def judged(seed: int, queries: int = 60, size: int = 15) -> Judged:
    """`dense.score` tells the one relevant row of each query; `bm25.score` is noise."""
    rng = np.random.default_rng(seed)
    n = queries * size
    labels = np.zeros((queries, size))
    labels[np.arange(queries), rng.integers(size, size=queries)] = 1
    features = rng.normal(size=(queries, size, 3))
    features[..., 1] += 2 * labels
    return Judged(
        features.reshape(n, 3).astype(np.float32),
        labels.ravel(),
        np.ones(n),
        np.zeros(n, np.int32),
        np.arange(0, n + 1, size),
    )


def test_minmax_fit_finds_the_generator_that_knows() -> None:
    fusion = MinMaxFusion(SCORES)
    fusion.fit(judged(0))
    assert fusion.weights["dense"] >= 4 * fusion.weights["bm25"]


def test_minmax_fit_follows_the_weights_of_the_queries() -> None:
    either = judged(0)
    swapped = either.features[:, [1, 0, 2]]
    second_half = np.arange(either.labels.size) >= either.labels.size // 2
    features = np.where(second_half[:, None], swapped, either.features)
    for heavy, winner in ((second_half, "bm25"), (~second_half, "dense")):
        fusion = MinMaxFusion(SCORES)
        weights = np.where(heavy, 50.0, 1.0)
        fusion.fit(
            Judged(features, either.labels, weights, either.positions, either.starts),
        )
        assert max(fusion.weights, key=lambda name: fusion.weights[name]) == winner


def test_fusion_wants_its_columns() -> None:
    with pytest.raises(ValueError, match=r"found no column named `<generator>\.rank`"):
        ReciprocalRankFusion(SCORES)
    with pytest.raises(ValueError, match=r"found no column named `<generator>\.score`"):
        MinMaxFusion(RANKS)


@pytest.mark.parametrize("k", [-1.0, -5.0, NAN, np.inf])
def test_rrf_refuses_bad_k(k: float) -> None:
    with pytest.raises(ValueError, match="k: found"):
        ReciprocalRankFusion(RANKS, k=k)


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"sparse": 1.0}, "probably misspelt"), ({"bm25": -1.0}, "≥ 0"), ({"bm25": NAN}, "≥ 0")],
)
def test_minmax_refuses_bad_weights(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MinMaxFusion(SCORES, weights=weights)


def test_a_weight_scales_the_vote_of_its_generator() -> None:
    fusion = ReciprocalRankFusion(("a.rank", "b.rank"), weights={"b": 0.1})
    scores = fusion.score(np.array([[0.0, 2.0], [np.nan, 0.0]], np.float32))
    assert scores.tolist() == pytest.approx([1 / 61 + 0.1 / 63, 0.1 / 61])
    with pytest.raises(ValueError, match="weights: found"):
        ReciprocalRankFusion(("a.rank",), weights={"a": -1.0})


def test_columns_are_added_to_the_votes(tmp_path: Path) -> None:
    fusion = ReciprocalRankFusion(RANKS, added={"age": 0.5, "unheard": 3.0})
    scores = fusion.score(matrix((0, NAN, 0.2), (0, NAN, NAN)))
    np.testing.assert_allclose(scores, [1 / 61 + 0.1, 1 / 61], rtol=1e-6)
    fusion.save(tmp_path)
    loaded = ReciprocalRankFusion.load(tmp_path)
    assert loaded.added == fusion.added
    with pytest.raises(ValueError, match=r"added: found .*inf"):
        ReciprocalRankFusion(RANKS, added={"age": np.inf})
