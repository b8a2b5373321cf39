"""LambdaMART: planted answers, labels, weights, position bias, explanations, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rankers import Examination, Judged, LambdaMART, NotFittedError, debiased_ndcg
from rankers.lambdamart import GRADES, _graded

NAMES = ("signal", "other", "noise")


def judged(
    features: NDArray[Any],
    labels: NDArray[Any],
    *,
    size: int,
    weights: NDArray[Any] | None = None,
    positions: NDArray[Any] | None = None,
) -> Judged:
    n = labels.size
    return Judged(
        features.astype(np.float32),
        labels.astype(np.float64),
        np.ones(n) if weights is None else weights.astype(np.float64),
        np.zeros(n, np.int32) if positions is None else positions.astype(np.int32),
        np.arange(0, n + 1, size),
    )


def planted(seed: int, queries: int = 80, size: int = 10) -> Judged:
    """`signal` tells the grades 0, 1, 2 but for a little noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(queries * size, 3))
    worth = features[:, 0] + 0.1 * rng.normal(size=features.shape[0])
    return judged(features, np.digitize(worth, [0.5, 1.5]), size=size)


def quality(ranker: LambdaMART, held: Judged) -> float:
    values = debiased_ndcg(held, ranker.score(held.features), Examination.even())
    return float(values.mean())


def test_it_learns_a_planted_order() -> None:
    ranker = LambdaMART(NAMES)
    ranker.fit(planted(0))
    held = planted(1)
    by_chance = debiased_ndcg(held, held.features[:, 2], Examination.even()).mean()
    assert quality(ranker, held) > 0.95 > 0.7 > by_chance


def test_a_missing_value_is_evidence() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(800, 3))
    labels = rng.random(800) < 0.2
    features[labels, 1] = np.nan
    ranker = LambdaMART(NAMES)
    ranker.fit(judged(features, labels, size=10))
    with_value, without = ranker.score(np.array([[0, 0, 0], [0, np.nan, 0]], np.float32))
    assert without > with_value + 1


def test_before_fit_it_says_so() -> None:
    ranker = LambdaMART(NAMES)
    assert not ranker.fitted
    for ask in (ranker.score, ranker.contributions):
        with pytest.raises(NotFittedError, match="before `fit`"):
            ask(np.zeros((1, 3), np.float32))
    ranker.fit(judged(np.ones((20, 3)), np.ones(20), size=10))
    assert not ranker.fitted


@given(
    st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=GRADES).map(np.array)
)
def test_few_distinct_labels_keep_their_gain(labels: NDArray[np.float64]) -> None:
    grades, gains = _graded(labels)
    np.testing.assert_array_equal(gains[grades], labels)


def test_many_distinct_labels_are_rounded_evenly() -> None:
    labels = np.r_[0.0, 1e-9, np.random.default_rng(0).gamma(2.0, 5.0, 3000)]
    grades, gains = _graded(labels)
    assert gains.size == GRADES
    assert grades[0] == 0 < grades[1]
    assert np.abs(gains[grades] - labels)[2:].max() <= labels.max() / (GRADES - 1)
    rng = np.random.default_rng(1)
    ranker = LambdaMART(NAMES)
    features = np.c_[labels[2:] + rng.normal(size=3000), rng.normal(size=(3000, 2))]
    data = judged(features, labels[2:], size=10)
    ranker.fit(data)
    assert quality(ranker, data) > 0.95


def test_a_larger_label_gains_more() -> None:
    """Where two clicked kinds compete for the top, the one of larger weight gets it."""
    rng = np.random.default_rng(0)
    kind = np.tile([0, 1, 2, 2, 2, 2], 200)
    noise = np.linspace(0, 1, 21)
    for gains, winner in (((1.0, 9.0), 1), ((9.0, 1.0), 0)):
        labels = np.array([*gains, 0.0])[kind] * (rng.random(kind.size) < 0.7)
        ranker = LambdaMART(NAMES)
        ranker.fit(judged(np.c_[kind == 0, kind == 1, rng.random(kind.size)], labels, size=6))
        # The third feature is noise: the kinds are compared over all of it, not at one of its values.
        rows = np.array([[first, 1 - first, at] for first in (1, 0) for at in noise])
        scores = ranker.score(rows.astype(np.float32)).reshape(2, -1).mean(axis=1)
        assert scores.argmax() == winner


def test_weights_decide_between_contradicting_queries() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2000, 3))
    first = np.arange(2000) < 1000
    labels = np.where(first, features[:, 0] > 0.8, features[:, 0] < -0.8)
    for heavy, sign in ((first, 1), (~first, -1)):
        ranker = LambdaMART(NAMES)
        ranker.fit(judged(features, labels, size=10, weights=np.where(heavy, 20.0, 1.0)))
        low, high = ranker.score(np.array([[-1.5, 0, 0], [1.5, 0, 0]], np.float32))
        assert sign * (high - low) > 0.5


def test_queries_without_a_difference_are_left_out() -> None:
    data = planted(0)
    extra = planted(1)
    both = Judged(
        np.concatenate([data.features, extra.features]),
        np.concatenate([data.labels, np.full(extra.labels.size, 2.0)]),
        np.concatenate([data.weights, extra.weights]),
        np.concatenate([data.positions, extra.positions]),
        np.concatenate([data.starts, data.starts[-1] + extra.starts[1:]]),
    )
    plain, padded = LambdaMART(NAMES), LambdaMART(NAMES)
    plain.fit(data)
    padded.fit(both)
    features = planted(2).features
    assert plain.score(features).tobytes() == padded.score(features).tobytes()


def test_position_debias_does_not_learn_the_old_order() -> None:
    """Pages ordered by `other`, clicks by `signal` and position: `other` must not look useful."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1500, 10, 3))
    features = np.take_along_axis(features, (-features[..., 1:2]).argsort(axis=1), axis=1)
    positions = np.tile(np.arange(1, 11), 1500)
    relevance = 1 / (1 + np.exp(-2 * features[..., 0].ravel()))
    clicks = rng.random(15000) < relevance / positions
    flat = features.reshape(-1, 3)
    trained = {}
    for debias in (False, True):
        trained[debias] = LambdaMART(NAMES, n_estimators=100, position_debias=debias)
        trained[debias].fit(judged(flat, clicks, size=10, positions=positions))
    probe = rng.normal(size=(300, 3)).astype(np.float32)
    used = {
        debias: np.abs(ranker.contributions(probe)).mean(axis=0)
        for debias, ranker in trained.items()
    }
    assert used[True][1] < used[False][1] / 2
    held = judged(probe, (probe[:, 0] > 0.5), size=10)
    assert quality(trained[True], held) > quality(trained[False], held)


def test_contributions_add_up_to_the_score() -> None:
    ranker = LambdaMART(NAMES)
    ranker.fit(planted(0))
    features = planted(1).features[:50]
    parts = ranker.contributions(features)
    assert parts.shape == (50, 4)
    np.testing.assert_allclose(parts.sum(axis=1), ranker.score(features), rtol=1e-5, atol=1e-5)
    assert np.ptp(parts[:, 3]) == 0
    assert np.abs(parts[:, 0]).mean() > 10 * np.abs(parts[:, 2]).mean()
    assert ranker.contributions(features[:0]).shape == (0, 4)


def test_threads_do_not_change_the_model() -> None:
    features = planted(1).features
    scores = []
    for n_jobs in (1, 2):
        ranker = LambdaMART(NAMES, n_estimators=10, n_jobs=n_jobs)
        ranker.fit(planted(0))
        scores.append(ranker.score(features).tobytes())
    assert scores[0] == scores[1]


def test_seeds_change_the_model() -> None:
    features = planted(1).features
    scores = []
    for seed in (0, 1):
        ranker = LambdaMART(NAMES, seed=seed)
        ranker.fit(planted(0))
        scores.append(ranker.score(features).tobytes())
    assert scores[0] != scores[1]


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    ranker = LambdaMART(NAMES, n_estimators=5)
    ranker.fit(planted(0))
    ranker.save(tmp_path)
    model = tmp_path / "model.txt"
    whole = model.read_bytes()
    for changed in (whole[:-10], whole.replace(b"leaf_value=", b"leaf_value=9", 1)):
        model.write_bytes(changed)
        with pytest.raises(ValueError, match="found SHA-256"):
            LambdaMART.load(tmp_path)
    model.write_bytes(whole)
    assert LambdaMART.load(tmp_path).fitted


def test_a_manifest_names_files_of_its_own_folder_only(tmp_path: Path) -> None:
    LambdaMART(NAMES).save(tmp_path)
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "sha256": {"../other": "0"}}))
    with pytest.raises(ValueError, match="expected a file in the folder"):
        LambdaMART.load(tmp_path)


def test_a_model_the_manifest_does_not_name_is_not_read(tmp_path: Path) -> None:
    LambdaMART(NAMES).save(tmp_path)
    (tmp_path / "model.txt").write_text("left over from elsewhere")
    assert not LambdaMART.load(tmp_path).fitted


@pytest.mark.parametrize("name", ["n_estimators", "learning_rate", "truncation", "n_jobs"])
def test_bad_settings_are_named(name: str) -> None:
    bad: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name}: found 0, expected"):
        LambdaMART(NAMES, **bad)
