"""Position bias: the curve itself, and its estimates from clicks whose curve is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rankers import Examination, Judged, debiased, harvest, regression_em, smoothed

CURVE = np.asarray(1.0 / np.arange(1, 11) ** 0.7, np.float64)


def simulated(
    queries: int, seed: int = 0, curve: NDArray[np.float64] = CURVE
) -> tuple[Judged, NDArray[np.int64]]:
    """Pages of 10 out of 20 documents for 300 queries, clicked by the position-based model.

    Ordered by one of the relevant features, with noise, so that the top is more relevant than the
    bottom; the identities of the pairs come second.
    """
    rng = np.random.default_rng(seed)
    catalogue = rng.normal(size=(300, 20, 6))
    relevance = 1 / (1 + np.exp(1.5 - 1.2 * catalogue[..., 0] - catalogue[..., 1]))
    query = rng.integers(300, size=queries)
    served = catalogue[query, :, 0] + rng.normal(size=(queries, 20))
    shown = (-served).argsort(axis=1)[:, :10]
    clicked = rng.random((queries, 10)) < curve * np.take_along_axis(relevance[query], shown, 1)
    judged = Judged(
        catalogue[query[:, None], shown].reshape(-1, 6).astype(np.float32),
        clicked.ravel().astype(np.float64),
        np.ones(clicked.size),
        np.tile(np.arange(1, 11, dtype=np.int32), queries),
        np.arange(0, clicked.size + 1, 10),
    )
    return judged, (query[:, None] * 20 + shown).ravel()


@pytest.fixture(scope="module")
def log() -> tuple[Judged, NDArray[np.int64]]:
    return simulated(20_000)


@pytest.fixture(scope="module")
def by_features(log: tuple[Judged, NDArray[np.int64]]) -> Examination:
    return regression_em(log[0])


@pytest.fixture(scope="module")
def by_pairs(log: tuple[Judged, NDArray[np.int64]]) -> Examination:
    return harvest(*log)


def off(curve: NDArray[np.float64]) -> float:
    """The largest relative error of a curve."""
    return float(np.abs(curve / CURVE - 1).max())


def naive(judged: Judged) -> NDArray[np.float64]:
    rates = judged.labels.reshape(-1, 10).mean(axis=0)
    return np.asarray(rates / rates[0])


def test_regression_em_finds_the_curve(log: tuple[Judged, Any], by_features: Examination) -> None:
    assert by_features.curve[0] == 1
    assert off(by_features.curve) < 0.15 < 0.3 < off(naive(log[0]))


def test_harvesting_finds_the_curve(log: tuple[Judged, Any], by_pairs: Examination) -> None:
    assert by_pairs.curve[0] == 1
    assert off(by_pairs.curve) < 0.15 < 0.3 < off(naive(log[0]))


def test_harvesting_knows_its_error() -> None:
    scores = []
    for seed in range(40):
        found = harvest(*simulated(2000, seed))
        assert found.errors is not None
        scores.append(np.log(found.curve / CURVE)[1:] / found.errors[1:])
    assert 0.85 < np.std(scores) < 1.15
    assert abs(np.mean(scores)) < 0.4


def test_regression_em_states_an_error(by_features: Examination) -> None:
    assert by_features.errors is not None
    assert by_features.errors[0] == 0
    low, high = by_features.interval(z=4)
    assert ((low <= CURVE) & (high >= CURVE)).all()
    assert (high[1:] / low[1:] < 2).all()


def test_a_curve_that_does_not_fall_is_found() -> None:
    curve = np.array([1.0, 0.5, 0.8, 0.3, 0.6, 0.2, 0.2, 0.2, 0.4, 0.2])
    for found in (
        regression_em(simulated(10_000, curve=curve)[0], errors=False),
        harvest(*simulated(10_000, curve=curve)),
    ):
        np.testing.assert_allclose(found.curve, curve, rtol=0.3)


def test_harvesting_by_hand() -> None:
    """One pair, shown equally often at both positions, 30 clicks against 10: three to one."""
    clicks = np.repeat([1.0, 0.0, 1.0, 0.0], [30, 20, 10, 40])
    judged = Judged(
        np.zeros((100, 1), np.float32),
        clicks,
        np.ones(100),
        np.repeat(np.array([1, 2], np.int32), 50),
        np.arange(101),
    )
    prior = Examination(np.ones(2))
    found = harvest(judged, np.zeros(100, np.int64), prior=prior, strength=1e-6)
    np.testing.assert_allclose(found.curve, [1, 10 / 30], rtol=1e-6)
    assert found.errors is not None
    np.testing.assert_allclose(found.errors, [0, np.sqrt(1 / 30 + 1 / 10)], rtol=1e-5)
    drawn = harvest(judged, np.zeros(100, np.int64), prior=prior, strength=20)
    np.testing.assert_allclose(drawn.curve, [1, (10 + 10) / (30 + 10)], rtol=0.02)


@pytest.mark.parametrize("estimate", ["em", "harvest"])
def test_without_clicks_the_prior_stands(estimate: str) -> None:
    judged, pairs = simulated(200)
    none = Judged(
        judged.features, judged.labels * 0, judged.weights, judged.positions, judged.starts
    )
    prior = Examination.prior(6, eta=0.5)
    found = (
        regression_em(none, prior=prior) if estimate == "em" else harvest(none, pairs, prior=prior)
    )
    np.testing.assert_allclose(found.curve, prior.curve)
    assert found.errors is not None
    assert found.errors.tolist() == [0, *[np.inf] * 5]


@pytest.mark.parametrize("rows", ["few", "equal"])
def test_where_no_feature_tells_rows_apart_the_prior_stands(rows: str) -> None:
    judged, _ = simulated(9 if rows == "few" else 200)
    if rows == "equal":
        judged = replace(judged, features=np.ones_like(judged.features))
    prior = Examination.prior(10, eta=0.5)
    found = regression_em(judged, prior=prior)
    np.testing.assert_allclose(found.curve, prior.curve)
    assert found.errors is not None
    assert found.errors.tolist() == [0, *[np.inf] * 9]


@pytest.mark.parametrize("estimate", ["em", "harvest"])
def test_positions_never_shown_stay_unknown(estimate: str) -> None:
    judged, pairs = simulated(2000)
    hidden = Judged(
        judged.features,
        judged.labels,
        judged.weights,
        np.where(judged.positions > 7, 0, judged.positions).astype(np.int32),
        judged.starts,
    )
    found = regression_em(hidden) if estimate == "em" else harvest(hidden, pairs)
    assert found.errors is not None
    assert np.isfinite(found.errors[:7]).all()
    assert np.isinf(found.errors[7:]).all()
    assert (found.curve > 0).all()


def test_estimates_repeat_to_the_byte() -> None:
    judged, pairs = simulated(500)
    for first, second in (
        (regression_em(judged, rounds=5), regression_em(judged, rounds=5)),
        (harvest(judged, pairs), harvest(judged, pairs)),
    ):
        assert first.curve.tobytes() == second.curve.tobytes()
        assert first.errors is not None
        assert second.errors is not None
        assert first.errors.tobytes() == second.errors.tobytes()


def test_of_reads_positions_from_one() -> None:
    examination = Examination(np.array([1.0, 0.5, 0.02]))
    found = examination.of(np.array([0, 1, 2, 3, 9], np.int32))
    np.testing.assert_array_equal(
        found, [1, 1, 0.5, 0.05, 0.05]
    )  # floor; below the curve: the last
    np.testing.assert_array_equal(Examination.even().of(np.arange(5, dtype=np.int32)), np.ones(5))
    np.testing.assert_allclose(Examination.prior(3).curve, [1, 1 / 2, 1 / 3])


def test_a_given_curve_has_no_error() -> None:
    low, high = Examination(np.array([1.0, 0.5])).interval()
    np.testing.assert_array_equal(low, high)


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ([], "one value a position"),
        ([0.9, 0.5], "the first of them 1"),
        ([[1.0]], "one value a position"),
        ([1.0, 0.0], "finite values above 0"),
        ([1.0, -0.5], "finite values above 0"),
        ([1.0, np.nan], "finite values above 0"),
        ([1.0, np.inf], "finite values above 0"),
    ],
)
def test_bad_curves_are_refused(curve: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"curve: found .*{message}"):
        Examination(np.array(curve))


def test_other_bad_arguments_are_refused() -> None:
    for floor in (0.0, 1.5, np.nan):
        with pytest.raises(ValueError, match="floor: found"):
            Examination(np.ones(2), floor=floor)
    with pytest.raises(ValueError, match="errors: found shape"):
        Examination(np.ones(2), np.ones(3))
    judged, pairs = simulated(10)
    with pytest.raises(ValueError, match=r"pairs: found shape \(99,\), expected \(100,\)"):
        harvest(judged, pairs[1:])
    for strength in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="strength: found"):
            harvest(judged, pairs, strength=strength)
        with pytest.raises(ValueError, match="strength: found"):
            regression_em(judged, strength=strength)


@pytest.mark.parametrize("eta", [0.5, 1.0, 2.0])
def test_smoothing_takes_noise_for_noise(eta: float) -> None:
    """A power of the rank, with errors that grow down the page: nearer the truth than what was found."""
    rng, truth = np.random.default_rng(0), np.arange(1, 11.0) ** -eta
    errors = np.r_[0.0, np.linspace(0.02, 0.2, 9)]
    plain, drawn = [], []
    for _ in range(100):
        found = Examination(truth * np.exp(errors * rng.normal(size=10)), errors)
        better = smoothed(found)
        plain.append(np.abs(np.log(found.curve / truth)).max())
        drawn.append(np.abs(np.log(better.curve / truth)).max())
        assert better.errors is not None
        assert (better.errors <= errors + 1e-12).all()
    assert np.mean(drawn) < 0.5 * np.mean(plain)


def test_smoothing_leaves_what_is_sure() -> None:
    curve = np.array([1.0, 0.5, 0.8, 0.3, 0.6, 0.2, 0.2, 0.2, 0.4, 0.2])
    found = smoothed(Examination(curve, np.r_[0.0, np.full(9, 0.02)]))
    np.testing.assert_allclose(found.curve, curve, rtol=0.02)
    given = Examination(curve)
    assert smoothed(given) is given
    unknown = Examination(curve, np.r_[0.0, np.full(9, np.inf)])
    assert smoothed(unknown) is unknown
    half = Examination(curve, np.r_[0.0, np.full(5, 0.02), np.full(4, np.inf)])
    assert smoothed(half).curve[6:].tolist() == curve[6:].tolist()


def test_debiased_labels_and_weights_by_hand() -> None:
    judged = Judged(
        np.zeros((5, 1), np.float32),
        np.array([1.0, 0, 2, 0, 0]),
        np.array([1.0, 1, 1, 3, 3]),
        np.array([1, 2, 3, 1, 2], np.int32),
        np.array([0, 3, 5]),
    )
    found = debiased(judged, Examination(np.array([1.0, 0.5, 0.25])))
    np.testing.assert_allclose(found.labels, [1, 0, 2 / 0.25, 0, 0])
    np.testing.assert_allclose(found.weights, [(1 + 8) / 3] * 3 + [3, 3])
    assert found.positions is judged.positions


def test_debiased_clicks_average_to_relevance() -> None:
    """Shuffled pages: mean debiased label by position is level, the plain one falls."""
    rng = np.random.default_rng(0)
    n = 40_000
    positions = np.tile(np.arange(1, 11, dtype=np.int32), n // 10)
    clicks = (rng.random(n) < 0.5 * CURVE[positions - 1]).astype(np.float64)
    judged = Judged(
        np.zeros((n, 1), np.float32), clicks, np.ones(n), positions, np.arange(0, n + 1, 10)
    )
    level = debiased(judged, Examination(CURVE)).labels.reshape(-1, 10).mean(axis=0)
    np.testing.assert_allclose(level, 0.5, rtol=0.15)
    assert clicks.reshape(-1, 10).mean(axis=0)[9] < 0.15
