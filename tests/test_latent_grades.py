"""Counted clicks whose curve, trust bias and relevance are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rankers import Examination, Judged, smoothed
from rankers.doubly_robust import doubly_robust, inverse_rates
from rankers.exposures import Exposures
from rankers.latent_grades import latent_grades

PLACES = np.arange(1, 11)
RATES = np.array([0.1, 0.6, 1.0])


def counted(
    sessions: int,
    slope: NDArray[np.float64],
    offset: NDArray[np.float64] | None = None,
    seed: int = 0,
    rates: NDArray[np.float64] = RATES,
) -> tuple[Exposures, NDArray[np.int64]]:
    """300 queries with 14 documents, one fixed page each, better ones more often on top."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(300, 14, 5))
    hidden = features[..., 0] + 0.5 * features[..., 1] + rng.normal(size=(300, 14))
    grades = (hidden > 0.7).astype(np.int64) + (hidden > 1.6)
    order = np.argsort(-(hidden + 1.5 * rng.normal(size=hidden.shape)), axis=1)[:, :10]
    shown, clicks = np.zeros((300, 14, 10)), np.zeros((300, 14, 10))
    visits = rng.multinomial(sessions, np.full(300, 1 / 300))
    row = np.arange(300)
    for j in range(10):
        chance = rates[grades[row, order[:, j]]] * slope[j]
        if offset is not None:
            chance = chance + offset[j]
        shown[row, order[:, j], j] = visits
        clicks[row, order[:, j], j] = rng.binomial(visits, chance)
    return Exposures(
        features.reshape(-1, 5).astype(np.float32),
        np.repeat(row, 14),
        shown.reshape(-1, 10),
        clicks.reshape(-1, 10),
    ), grades.ravel()


@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_the_curve_is_found_within_a_tenth_from_100_000_sessions_of_one_log(eta: float) -> None:
    curve = np.asarray(PLACES**-eta, np.float64)
    exposures, grades = counted(100_000, curve)
    model = latent_grades(exposures, replicates=3)
    assert np.abs(model.slope / model.slope[0] / curve - 1).max() < 0.1
    shown = exposures.clicks.sum(axis=0) / exposures.shown.sum(axis=0)
    assert np.abs(shown / shown[0] / curve - 1).max() > 0.3  # which plain rates are far from
    worth = model.at_the_top(model.expected)
    seen = exposures.seen
    np.testing.assert_allclose(
        [worth[seen & (grades == g)].mean() for g in range(3)], RATES, atol=0.08
    )
    drawn = smoothed(model.examination(0.01)).curve
    assert np.abs(drawn / curve - 1).max() < 0.05
    low, high = model.examination(0.01).interval(z=4)
    assert ((low <= curve) & (curve <= high)).all()


def test_trust_bias_is_found_and_corrected() -> None:
    examined = 1.0 / PLACES
    wrong = 0.5 / PLACES
    slope, offset = examined * (0.95 - wrong), examined * wrong
    exposures, grades = counted(100_000, slope, offset)
    model = latent_grades(exposures)
    assert model.trust
    np.testing.assert_allclose(model.slope, slope / slope[0], rtol=0.25)
    worth = [model.expected[exposures.seen & (grades == g)].mean() for g in range(3)]
    shares = (np.array(worth) - worth[0]) / (worth[2] - worth[0])
    np.testing.assert_allclose(shares, (RATES - RATES[0]) / (RATES[2] - RATES[0]), atol=0.08)


def test_low_click_rates_are_read_too() -> None:
    curve = 1.0 / PLACES
    exposures, _ = counted(400_000, curve, rates=RATES / 10)
    model = latent_grades(exposures)
    plain = exposures.clicks.sum(axis=0) / exposures.shown.sum(axis=0)
    off, naive = (np.abs(found / found[0] / curve - 1) for found in (model.slope, plain))
    assert off[:5].max() < 0.1
    assert off.max() < 0.5 * naive.max()


def test_without_clicks_the_prior_stands() -> None:
    exposures, _ = counted(1000, 1.0 / PLACES)
    none = Exposures(exposures.features, exposures.queries, exposures.shown, 0 * exposures.clicks)
    model = latent_grades(none, prior=Examination.prior(10, eta=0.5), replicates=3)
    np.testing.assert_allclose(model.slope, PLACES**-0.5)
    assert model.errors is not None
    assert model.errors.tolist() == [0.0, *[np.inf] * 9]


def test_fits_repeat_to_the_byte() -> None:
    exposures, _ = counted(5000, 1.0 / PLACES)
    first, second = (latent_grades(exposures, replicates=2, seed=3) for _ in range(2))
    assert first.slope.tobytes() == second.slope.tobytes()
    assert first.shares.tobytes() == second.shares.tobytes()
    assert first.errors is not None
    assert second.errors is not None
    assert first.errors.tobytes() == second.errors.tobytes()


def test_corrections_by_hand() -> None:
    """One pair, 100 times at the first place (60 clicks) and 100 at the second (20)."""
    pair = Exposures(
        np.zeros((2, 1), np.float32),
        np.zeros(2, np.int64),
        np.array([[100.0, 100.0], [0.0, 0.0]]),
        np.array([[60.0, 20.0], [0.0, 0.0]]),
    )
    slope, offset = np.array([1.0, 0.5]), np.array([0.1, 0.0])
    np.testing.assert_allclose(inverse_rates(pair, slope, offset), [(60 - 10 + 20) / (100 + 50), 0])
    regressed = np.array([0.4, 0.3])
    surprise = 60 + 20 - 100 * (1.0 * 0.4 + 0.1) - 100 * (0.5 * 0.4)
    np.testing.assert_allclose(
        doubly_robust(pair, regressed, slope, offset), [0.4 + surprise / 150, 0.3]
    )
    np.testing.assert_allclose(
        inverse_rates(pair, slope, offset, floor=1.0), [(60 - 10 + 20) / 200, 0]
    )
    with pytest.raises(ValueError, match="regressed: found shape"):
        doubly_robust(pair, np.zeros(3), slope, offset)


def test_impressions_are_counted_by_pair_and_position() -> None:
    judged = Judged(
        np.arange(6, dtype=np.float32)[:, None],
        np.array([1.0, 0, 0, 1, 0, 1]),
        np.ones(6),
        np.array([1, 2, 2, 1, 12, 3], np.int32),
        np.array([0, 2, 4, 6]),
    )
    found = Exposures.of(judged, np.array([7, 7, 3]), np.array([5, 6, 5, 6, 1, 2]))
    assert found.queries.tolist() == [3, 3, 7, 7]
    assert found.features[:, 0].tolist() == [4, 5, 2, 3]  # the latest row of each pair
    assert found.shown.sum(axis=1).tolist() == [0, 1, 2, 2]  # place 12 is below the page
    assert found.clicks[2, :2].tolist() == [1, 0]
    assert found.clicks[3, :2].tolist() == [1, 0]
    assert found.usual.tolist() == [0, 3, 1, 1]
    assert found.plus(found).shown.sum() == 2 * found.shown.sum()
    rows = found.judged(np.arange(4.0), found.seen, positions=True)
    assert rows.labels.tolist() == [1, 2, 3]
    assert rows.positions.tolist() == [3, 1, 1]
    assert rows.starts.tolist() == [0, 1, 3]


def test_bad_counts_and_settings_are_refused() -> None:
    one, two = np.zeros((2, 1), np.float32), np.ones((2, 3))
    with pytest.raises(ValueError, match=r"queries: found shape \(3,\)"):
        Exposures(one, np.zeros(3, np.int64), two, two)
    with pytest.raises(ValueError, match="queries: found a descent"):
        Exposures(one, np.array([1, 0]), two, two)
    with pytest.raises(ValueError, match="shown, clicks: found shapes"):
        Exposures(one, np.zeros(2, np.int64), two, two[:, :2])
    with pytest.raises(ValueError, match="clicks: expected between 0"):
        Exposures(one, np.zeros(2, np.int64), two, 2 * two)
    exposures, _ = counted(100, 1.0 / PLACES)
    with pytest.raises(ValueError, match="grades: found 1"):
        latent_grades(exposures, grades=1)
    with pytest.raises(ValueError, match="strength: found 0"):
        latent_grades(exposures, strength=0.0)
