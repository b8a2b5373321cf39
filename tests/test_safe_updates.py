"""A ranker taught by a bias model that is wrong on purpose, or by few clicks, does not go live."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rankers import Examination, Judged, LambdaMART, between, debiased, held_out, judge
from rankers.exposures import Exposures
from rankers.latent_grades import latent_grades
from rankers.leaning import Leaning, spread
from rankers.position_bias import PositionBias, position_bias
from rankers.surfaces import IMPRESSIONS, Surfaces, by_surface
from rankers.unbiased import chosen, fitted, labels

NAMES = ("good", "other", "noise")
CURVE = Examination.prior(10)
CUT = Examination(np.repeat([1.0, 0.01], 5), floor=0.001)
"""Says that the upper half of the page is looked at alike, and the lower half hardly ever."""
STEEP = Examination(np.arange(1, 11, dtype=np.float64) ** -3.0, floor=0.001)
"""Says that a click at the end of the page is worth a thousand."""


def world(
    impressions: int, seed: int, order: str = "good", documents: int = 12
) -> tuple[Judged, NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pages of 10 for 200 queries, in the order of `good` (production, which is right) or shuffled,
    clicked by CURVE; the query of each, the document of each row, and each row's true relevance."""
    rng = np.random.default_rng(seed)
    features = np.random.default_rng(9).normal(size=(200, documents, 3))
    relevance = 1 / (1 + np.exp(2.5 - 2.0 * features[..., 0] - 0.7 * features[..., 1]))
    query = rng.integers(200, size=impressions)
    key = features[query, :, 0] if order == "good" else rng.random((impressions, documents))
    page = np.argsort(-key, axis=1)[:, :10]
    wanted = relevance[query[:, None], page]
    clicked = rng.random(wanted.shape) < wanted * CURVE.curve
    n = clicked.size
    judged = Judged(
        features[query[:, None], page].reshape(n, 3).astype(np.float32),
        clicked.ravel().astype(np.float64),
        np.ones(n),
        np.tile(np.arange(1, 11, dtype=np.int32), impressions),
        np.arange(0, n + 1, 10),
    )
    return judged, query, page.ravel(), wanted.ravel()


def pairs_of(query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(query, 10) * 12 + document


def taught(judged: Judged, curve: Examination) -> LambdaMART:
    ranker = LambdaMART(NAMES, n_estimators=40, learning_rate=0.1, num_leaves=7)
    ranker.fit(debiased(judged, curve))
    return ranker


@pytest.mark.parametrize("wrong", [CUT, STEEP], ids=["cut", "steep"])
def test_what_a_wrong_curve_taught_is_not_promoted(wrong: Examination) -> None:
    judged, query, document, _ = world(5000, seed=1)
    cut = held_out(judged.starts)
    bad = taught(between(judged, 0, cut), wrong)
    # The gate believes its own estimate, not the curve that taught the ranker.
    estimate = position_bias(judged, query, document).examination
    held = between(judged, cut, judged.queries)
    verdict = judge(held, held.features[:, 0], bad.score(held.features), estimate)
    assert not verdict.promote, verdict.reason
    test, _, _, wanted = world(2000, seed=2, order="shuffled")
    graded = replace(test, labels=wanted, positions=np.zeros_like(test.positions))
    truth = judge(graded, test.features[:, 0], bad.score(test.features), Examination.even())
    assert truth.high < 0  # and it is worse indeed


def test_the_right_curve_teaches_what_is_promoted() -> None:
    judged, query, document, _ = world(5000, seed=1, order="shuffled")
    cut = held_out(judged.starts)
    new = taught(between(judged, 0, cut), CURVE)
    held = between(judged, cut, judged.queries)
    estimate = position_bias(judged, query, document, varied=pairs_of(query, document))
    assert estimate.source == "harvested"
    old = held.features[:, 1]
    assert judge(held, old, new.score(held.features), estimate.examination).promote


def test_few_clicks_promote_nothing() -> None:
    judged, _, _, _ = world(300, seed=3)
    cut = held_out(judged.starts)
    new = taught(between(judged, 0, cut), CURVE)
    held = between(judged, cut, judged.queries)
    verdict = judge(held, held.features[:, 0], new.score(held.features), CURVE)
    assert not verdict.promote
    assert "200 needed" in verdict.reason


def counts(seed: int, impressions: int, order: str) -> Exposures:
    judged, query, document, _ = world(impressions, seed, order)
    return Exposures.of(judged, query, document)


def make(debias: bool) -> LambdaMART:
    return LambdaMART(
        NAMES, n_estimators=20, learning_rate=0.1, num_leaves=5, position_debias=debias
    )


def test_held_out_clicks_choose_a_method_and_keep_a_good_incumbent() -> None:
    exposures = counts(4, 4000, "shuffled")
    model = latent_grades(exposures)
    noise = exposures.features[:, 2]
    choice = chosen(exposures, model, make, noise, methods=("naive", "expected"))
    assert choice.method is not None
    assert choice.weight == min(weight for _, weight in choice.values)  # noise is no support
    assert choice.verdict.difference > 0
    ideal = (2.0 * exposures.features[:, 0] + 0.7 * exposures.features[:, 1]).astype(np.float32)
    kept = chosen(exposures, model, make, ideal, methods=("naive",), weights=(0.0,))
    assert (kept.method, kept.weight) == (None, 0.0)


def test_every_method_learns_and_labels_are_rates() -> None:
    exposures = counts(5, 4000, "shuffled")
    model = latent_grades(exposures)
    everything = np.ones(exposures.queries.size, np.bool_)
    truth = exposures.features[:, 0]
    for method in ("naive", "ips", "lightgbm", "doubly_robust", "expected"):
        worth = labels(method, exposures, model)
        assert (worth >= 0).all()
        assert np.isfinite(worth).all()
        ranker = fitted(method, exposures, model, make, everything)
        found = ranker.score(exposures.features)
        assert np.corrcoef(found, truth)[0, 1] > 0.5, method


def test_leaning_by_hand() -> None:
    class Column:
        def __init__(self, column: int) -> None:
            self.column = column

        def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
            return features[:, self.column]

    features = np.array([[1.0, 8.0], [3.0, 4.0]], np.float32)
    queries = np.zeros(2, np.int64)
    spreads = [spread(features[:, i], queries) for i in (0, 1)]
    assert spreads == [1.0, 2.0]
    found = Leaning(Column(0), Column(1), 0.5, *spreads).score(features)
    np.testing.assert_allclose(found, [1 + 0.5 * 8 / 2, 3 + 0.5 * 4 / 2])
    assert spread(np.ones(3, np.float32), np.zeros(3, np.int64)) == 1.0


def test_the_surest_way_is_taken() -> None:
    judged, query, document, _ = world(12_000, seed=6, order="shuffled")
    given = position_bias(judged, query, document, given=STEEP)
    assert (given.examination, given.source) == (STEEP, "given")
    drawn = np.repeat(np.arange(12_000) % 2 == 0, 10)
    by_chance = np.where(drawn, pairs_of(query, document), -1)
    found = position_bias(judged, query, document, randomised=by_chance)
    assert (found.source, found.impressions) == ("randomised", 6000)
    assert np.abs(found.examination.curve / CURVE.curve - 1).max() < 0.3
    assert position_bias(judged, query, document).source == "repeated"
    alone = position_bias(*(between(judged, 0, 600), np.arange(600), np.arange(6000)))
    assert alone.source == "regression"


def test_each_surface_has_its_own_curve() -> None:
    judged, query, document, _ = world(6000, seed=7)
    phone = np.arange(6000) % 3 > 0
    rows = np.repeat(phone, 10) & (judged.positions > 5)
    cut = replace(judged, labels=np.where(rows, 0.0, judged.labels))  # a phone shows five
    surfaces = np.where(phone, "phone", "desk")
    surfaces[:50] = "watch"
    found = by_surface(cut, query, document, surfaces, given={"tv": CURVE})
    assert list(found.biases) == ["", "desk", "phone", "tv"]
    assert found.of("watch") is found.of("")
    assert IMPRESSIONS > 50
    assert (found.of("tv").source, found.of("tv").impressions) == ("given", 0)
    low = {name: found.of(name).examination.curve[7] for name in ("desk", "phone")}
    assert low["phone"] < 0.3 * low["desk"]
    known = by_surface(cut, query, document, surfaces, given={"desk": STEEP})
    assert known.of("desk").source == "given"


def test_every_surface_has_a_run_of_places_of_its_own() -> None:
    steep = PositionBias(Examination(np.array([1.0, 0.2])), "given", 0)
    both = Surfaces({"": PositionBias(CURVE, "assumed", 0), "phone": steep})
    positions = np.array([0, 1, 2, 12], np.int32)
    assert both.places("", positions).tolist() == [0, 1, 2, 10]
    assert both.places("phone", positions).tolist() == [0, 11, 12, 20]
    assert both.places("tv", positions).tolist() == [0, 1, 2, 10]
    found = both.examination.of(both.places("phone", positions))
    np.testing.assert_allclose(found, [1, 1, 0.2, 0.2])
    with pytest.raises(ValueError, match='expected "" first'):
        Surfaces({"phone": steep})
