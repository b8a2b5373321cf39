from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandit.base import Floats
from bandit.ope_estimators import (
    ESTIMATORS,
    direct,
    doubly_robust,
    ips,
    logged,
    replay,
    shrunk,
    snips,
    switch,
)
from bandit.ope_evidence import Evidence, weighed
from bandit.ope_list import of_list


def three_rounds(model: bool = False) -> Evidence:
    """Weights 1/2, 2 and 0."""
    return weighed(
        np.array([1.0, 1.0, 4.0]),
        np.array([0.5, 0.25, 0.25]),
        np.array([0.25, 0.5, 0.0]),
        predicted=np.array([0.8, 0.5, 3.0]) if model else None,
        expected=np.array([0.6, 0.7, 0.2]) if model else None,
    )


def test_each_estimator_by_hand() -> None:
    evidence = three_rounds(model=True)
    assert logged(evidence).value == pytest.approx((1 + 1 + 4) / 3)
    assert direct(evidence).value == pytest.approx((0.6 + 0.7 + 0.2) / 3)
    assert ips(evidence).value == pytest.approx((0.5 + 2) / 3)
    assert snips(evidence).value == pytest.approx((0.5 + 2) / (0.5 + 2))
    assert doubly_robust(evidence).value == pytest.approx((0.5 * 0.2 + 2 * 0.5 + 1.5) / 3)
    assert switch(evidence, 1.0).value == pytest.approx((0.5 * 0.2 + 1.5) / 3)
    # w λ / (w² + λ) with λ = 1: 0.5 / 1.25 and 2 / 5
    assert shrunk(evidence, 1.0).value == pytest.approx((0.4 * 0.2 + 0.4 * 0.5 + 1.5) / 3)


def test_the_shrunk_estimators_run_from_the_direct_method_to_doubly_robust() -> None:
    evidence = three_rounds(model=True)
    for estimator in (switch, shrunk):
        assert estimator(evidence, 0.0).value == pytest.approx(direct(evidence).value)
        assert estimator(evidence, np.inf).value == pytest.approx(doubly_robust(evidence).value)
        tuned = estimator(evidence)
        assert tuned.setting is not None
        assert tuned.unbiased is not None
        assert tuned.unbiased.value == pytest.approx(doubly_robust(evidence).value)
        with pytest.raises(ValueError, match="setting: found -1"):
            estimator(evidence, -1.0)


def test_replay_with_a_deterministic_target_and_a_uniform_log_keeps_the_matches() -> None:
    rewards = np.array([1.0, 0.0, 5.0, 2.0])
    matches = np.array([1.0, 0.0, 0.0, 1.0])
    terms = replay(weighed(rewards, np.full(4, 0.25), matches))
    assert terms.value == pytest.approx((1 + 2) / 2)
    assert terms.denominators.sum() == 2


def test_replay_accepts_in_proportion_to_the_weight() -> None:
    target = np.tile([0.1, 0.2, 0.4], 4000)
    terms = replay(weighed(np.ones(12000), np.full(12000, 0.5), target), seed=1)
    accepted = terms.denominators.reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(accepted, [0.25, 0.5, 1.0], atol=0.03)


@given(st.integers(0, 10_000))
@settings(max_examples=50)
def test_the_logging_policy_is_worth_what_it_earned(seed: int) -> None:
    rng = np.random.default_rng(seed)
    propensities = rng.uniform(0.1, 1.0, (30, 2))
    predicted = rng.normal(size=(30, 2))
    evidence = weighed(
        rng.normal(size=(30, 2)),
        propensities,
        propensities,
        predicted=predicted,
        expected=predicted,
    )
    for name in ("replay", "ips", "snips", "dr"):
        assert ESTIMATORS[name](evidence).value == pytest.approx(logged(evidence).value)


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(0.1, 5))
@settings(max_examples=50)
def test_estimates_move_with_the_unit_of_the_reward(seed: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    propensities, target = rng.uniform(0.1, 1.0, 40), rng.uniform(0.0, 1.0, 40)
    rewards = rng.random(40)

    def estimate(name: str, values: Floats) -> float:
        return ESTIMATORS[name](weighed(values, propensities, target)).value

    assert estimate("ips", scale * rewards) == pytest.approx(scale * estimate("ips", rewards))
    moved = scale * estimate("snips", rewards) + shift
    assert estimate("snips", scale * rewards + shift) == pytest.approx(moved)


def test_a_difference_is_paired_round_by_round() -> None:
    evidence = three_rounds(model=True)
    gain = ips(evidence).minus(logged(evidence))
    assert gain.is_mean
    assert gain.numerators[:, 0].tolist() == pytest.approx([0.5 - 1, 2 - 1, 0 - 4])
    ratio = snips(evidence).minus(logged(evidence))
    assert not ratio.is_mean
    assert ratio.value == pytest.approx(1.0 - 2.0)
    shrinking = shrunk(evidence, 1.0).minus(logged(evidence))
    assert shrinking.unbiased is not None
    assert shrinking.unbiased.value == pytest.approx(doubly_robust(evidence).value - 2.0)
    with pytest.raises(ValueError, match="needs the same rounds"):
        gain.minus(logged(weighed(np.ones(2), np.ones(2), np.ones(2))))


def test_a_list_by_hand_under_each_reading() -> None:
    rewards = np.array([[1.0, 0.0, 1.0]])
    logging, target = np.array([[0.5, 0.5, 0.25]]), np.array([[1.0, 0.25, 0.5]])
    # Weights of the positions: 2, 1/2, 2; down to each: 2, 1, 2; of the list: 2.
    position = of_list(rewards, logging, target, reading="position")
    cascade = of_list(rewards, logging, target, reading="cascade")
    standard = of_list(rewards, logging, target, reading="standard")
    assert position.weights.tolist() == [[2.0, 0.5, 2.0]]
    assert cascade.weights.tolist() == [[2.0, 1.0, 2.0]]
    assert standard.weights.tolist() == [[2.0]]
    assert ips(position).value == pytest.approx(2 * 1 + 2 * 1)
    assert ips(cascade).value == pytest.approx(2 * 1 + 2 * 1)
    assert ips(standard).value == pytest.approx(2 * (1 + 1))
    assert [one.kind for one in (position, cascade, standard)] == ["position", "cascade", "joint"]
    with pytest.raises(ValueError, match="reading: found 'random'"):
        of_list(rewards, logging, target, reading="random")


def test_cascade_doubly_robust_by_hand() -> None:
    evidence = of_list(
        np.array([[1.0, 0.0]]),
        np.array([[0.5, 0.5]]),
        np.array([[1.0, 0.25]]),
        reading="cascade",
        predicted=np.array([[0.9, 0.3]]),
        expected=np.array([[0.8, 0.2]]),
    )
    # w = 2 then 1; e of the second position carries the weight of the first.
    expected = 2 * (1 - 0.9) + 0.8 + 1 * (0 - 0.3) + 2 * 0.2
    assert doubly_robust(evidence).value == pytest.approx(expected)
    # The model speaks of the reward from a position down, so its first position is the list's.
    assert direct(evidence).value == pytest.approx(0.8)


def lists(n: int, seed: int) -> tuple[dict[str, Evidence], float]:
    """Lists of three binary items whose reward depends on the item and the one above. The log has
    each item 1 with probability 0.4, the target with 0.9 below a 1 and 0.2 elsewhere."""
    rng = np.random.default_rng(seed)

    def chance_of_one(above: Floats, target: bool) -> Floats:
        return np.where(above == 1, 0.9, 0.2) if target else np.full(n, 0.4)

    def roll(target: bool) -> tuple[Floats, Floats]:
        items = np.zeros((n, 4))
        for k in range(1, 4):
            items[:, k] = rng.random(n) < chance_of_one(items[:, k - 1], target)
        own, above = items[:, 1:], items[:, :-1]
        clicks = (rng.random((n, 3)) < 0.1 + 0.3 * own + 0.4 * own * above).astype(float)
        return items, clicks

    def probabilities(items: Floats, target: bool) -> Floats:
        ones = np.column_stack([chance_of_one(items[:, k], target) for k in range(3)])
        return np.where(items[:, 1:] == 1, ones, 1 - ones)

    truth = float(roll(target=True)[1].sum(axis=1).mean())
    items, clicks = roll(target=False)
    logging, aimed = probabilities(items, target=False), probabilities(items, target=True)
    # How often the target has a 1 at each position, whatever stands above.
    ones = np.array([0.2, 0.9 * 0.2 + 0.2 * 0.8, 0.9 * 0.34 + 0.2 * 0.66])
    alone = np.where(items[:, 1:] == 1, ones, 1 - ones)
    return {
        "position": of_list(clicks, logging, alone, reading="position"),
        "cascade": of_list(clicks, logging, aimed, reading="cascade"),
        "standard": of_list(clicks, logging, aimed, reading="standard"),
    }, truth


def test_readings_of_a_list_trade_bias_for_variance() -> None:
    made, truth = lists(200_000, seed=0)
    values = {reading: ips(evidence) for reading, evidence in made.items()}
    assert values["cascade"].value == pytest.approx(truth, rel=0.02)
    assert values["standard"].value == pytest.approx(truth, rel=0.03)
    spreads = [values[name].numerators.std() for name in ("position", "cascade", "standard")]
    assert spreads == sorted(spreads)
    # A reward that depends on the item above is not seen by the position-wise reading.
    assert abs(values["position"].value - truth) > 0.05 * truth


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewards": np.zeros((2, 2, 2))}, "rewards: found shape"),
        ({"rewards": np.zeros(0)}, "found shape"),
        ({"rewards": np.array([1.0, np.nan])}, "rewards: found a number that is not finite"),
        ({"rewards": np.ones(3)}, r"weights: found shape \(2, 1\), expected \(3, 1\)"),
        ({"propensities": np.array([0.5, 0.0])}, r"propensities: found 0.0 at \[1, 0\]"),
        ({"propensities": np.array([0.5, 1.2])}, "propensities: found 1.2"),
        ({"propensities": np.array([0.5, np.nan])}, "imported history"),
        ({"target": np.array([-0.1, 0.5])}, "target: found -0.1"),
        ({"target": np.array([0.1, np.nan])}, "target: found nan"),
        ({"target": np.array([0.1])}, "target: found shape"),
        ({"predicted": np.zeros(2)}, "found one without the other"),
        ({"predicted": np.zeros(3), "expected": np.zeros(3)}, "predicted: found shape"),
        ({"predicted": np.zeros(2), "expected": np.full(2, np.inf)}, "expected: found a number"),
        ({"unsupported": 1.5}, "unsupported: found 1.5"),
    ],
)
def test_bad_evidence(changes: dict[str, Any], message: str) -> None:
    given_: dict[str, Any] = {
        "rewards": np.array([0.0, 1.0]),
        "propensities": np.array([0.5, 0.5]),
        "target": np.array([0.5, 0.5]),
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        weighed(**given_)


def test_negative_weights_are_refused() -> None:
    ones = np.ones((1, 1))
    with pytest.raises(ValueError, match="weights: found -1"):
        Evidence(ones, -ones, ones, ones, "joint")
