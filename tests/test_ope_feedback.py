from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bandit.ope import Feedback, crossfitted_rewards, evaluate, of_actions


def feedback_dict(**changes: Any) -> dict[str, Any]:
    """Four rounds over three actions and two positions."""
    return {
        "n_rounds": 4,
        "n_actions": 3,
        "action": np.array([0, 1, 2, 0]),
        "position": np.array([0, 1, 0, 1]),
        "reward": np.array([1, 0, 0, 1]),
        "pscore": np.array([0.5, 0.25, 0.2, 0.4]),
        "context": np.arange(8.0).reshape(4, 2),
        "expected_reward": None,
        **changes,
    }


def test_the_layout_of_open_bandit_goes_there_and_back() -> None:
    feedback = Feedback.from_dict(feedback_dict())
    again = Feedback.from_dict(feedback.to_dict())
    for name in ("actions", "rewards", "propensities", "positions", "contexts"):
        np.testing.assert_array_equal(getattr(feedback, name), getattr(again, name))
    assert (again.n_actions, len(again)) == (3, 4)
    assert feedback.to_dict()["n_rounds"] == 4


def test_what_may_be_missing() -> None:
    bare = {key: feedback_dict()[key] for key in ("action", "reward", "pscore")}
    feedback = Feedback.from_dict({**bare, "position": None})
    assert feedback.n_actions == 3
    assert feedback.positions.tolist() == [0, 0, 0, 0]
    assert feedback.contexts.shape == (4, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pscore": None}, "Without the probability of each logged action"),
        ({"action": np.array([], np.int64), "n_actions": 3}, "action: found shape"),
        ({"action": np.zeros((4, 1), np.int64)}, "action: found shape"),
        ({"action": np.array([0.0, 1.0, 2.0, 0.0])}, "action: found float64, expected whole"),
        ({"action": np.array([0, 1, 3, 0])}, "found 0 to 3, expected 0 to 2"),
        ({"action": np.array([0, -1, 2, 0])}, "found -1 to 2"),
        ({"reward": np.ones(3)}, r"reward: found shape \(3,\)"),
        ({"reward": np.array([0, 1, np.nan, 0])}, "reward: found a number that is not finite"),
        ({"pscore": np.ones(5)}, r"pscore: found shape \(5,\)"),
        ({"pscore": np.array([0.5, 0.0, 0.2, 0.4])}, r"pscore: found 0.0 at \[1\]"),
        ({"pscore": np.array([0.5, 1.1, 0.2, 0.4])}, "pscore: found 1.1"),
        ({"position": np.array([0, 1, 0])}, "position: found shape"),
        ({"position": np.array([0, -1, 0, 0])}, "position: found -1"),
        ({"position": np.array(["a", "b", "a", "b"])}, "position: found <U1"),
        ({"context": np.zeros(4)}, r"context: found shape \(4,\)"),
        ({"context": np.full((4, 1), np.nan)}, "context: found a number that is not finite"),
    ],
)
def test_bad_feedback(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Feedback.from_dict(feedback_dict(**changes))


@pytest.mark.parametrize(
    ("action_dist", "message"),
    [
        (np.full((4, 2), 0.5), r"action_dist: found shape \(4, 2\), expected \(4, 3\)"),
        (np.full(3, 1 / 3), "action_dist: found shape"),
        (np.full((4, 3, 1), 1 / 3), "found 1 positions, expected at least 2"),
        (np.full((4, 3), 0.5), "rows that are no distribution"),
        (np.tile([1.5, -0.5, 0.0], (4, 1)), "rows that are no distribution"),
    ],
)
def test_bad_targets(action_dist: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        of_actions(Feedback.from_dict(feedback_dict()), action_dist)


def test_weights_by_position_and_the_mass_never_tried_by_hand() -> None:
    feedback = Feedback.from_dict(feedback_dict())
    target = np.zeros((4, 3, 2))
    target[:, :, 0] = [0.25, 0.25, 0.5]
    target[:, :, 1] = [0.1, 0.6, 0.3]
    evidence = of_actions(feedback, target)
    np.testing.assert_allclose(
        evidence.weights[:, 0], [0.25 / 0.5, 0.6 / 0.25, 0.5 / 0.2, 0.1 / 0.4]
    )
    # Position 0 never showed action 1, position 1 never action 2; two rounds of each.
    assert evidence.unsupported == pytest.approx((0.25 + 0.3) / 2)


def test_a_model_enters_by_the_action_taken_and_the_targets_mean() -> None:
    feedback = Feedback.from_dict(feedback_dict())
    estimates = np.arange(12.0).reshape(4, 3)
    evidence = of_actions(feedback, np.tile([0.5, 0.5, 0.0], (4, 1)), estimates)
    assert evidence.predicted[:, 0].tolist() == [0.0, 4.0, 8.0, 9.0]
    assert evidence.expected[:, 0].tolist() == [0.5, 3.5, 6.5, 9.5]
    with pytest.raises(ValueError, match="estimates: found shape"):
        of_actions(feedback, np.tile([0.5, 0.5, 0.0], (4, 1)), estimates[:, :2])


def test_the_model_finds_planted_rewards_and_no_round_speaks_for_itself() -> None:
    rng = np.random.default_rng(0)
    n = 3000
    contexts = rng.normal(size=(n, 2))
    slopes = np.array([[1.0, -1.0, 0.0], [0.0, 0.5, 2.0]])
    actions, positions = rng.integers(0, 3, n), rng.integers(0, 2, n)
    means = 0.5 + contexts @ slopes + 0.3 * positions[:, None]
    rewards = means[np.arange(n), actions] + 0.1 * rng.normal(size=n)
    given = feedback_dict(
        action=actions,
        position=positions,
        reward=rewards,
        pscore=np.full(n, 1 / 3),
        context=contexts,
    )
    estimates = crossfitted_rewards(Feedback.from_dict(given), penalty=1.0)
    assert np.abs(estimates - means).max() < 0.15
    given["reward"] = rewards.copy()
    given["reward"][7] += 100.0
    changed = crossfitted_rewards(Feedback.from_dict(given), penalty=1.0)
    np.testing.assert_array_equal(changed[7], estimates[7])
    assert not np.array_equal(changed[8], estimates[8])


def test_an_action_hardly_tried_is_taken_as_average() -> None:
    actions = np.zeros(300, np.int64)
    rewards = np.full(300, 0.4)
    feedback = Feedback.from_dict(
        {"action": actions, "reward": rewards, "pscore": np.ones(300), "n_actions": 2}
    )
    np.testing.assert_allclose(crossfitted_rewards(feedback), 0.4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "folds: found 1"),
        ({"folds": 5}, "folds: found 5"),
        ({"penalty": 0.0}, "penalty"),
    ],
)
def test_bad_model_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crossfitted_rewards(Feedback.from_dict(feedback_dict()), **options)


def simulated(n: int, seed: int) -> tuple[Feedback, Any, float]:
    """Five actions shown uniformly; the target prefers the good ones. Its value is exact."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, 5, n)
    chances = np.array([0.05, 0.1, 0.2, 0.3, 0.5])
    target = np.array([0.05, 0.05, 0.1, 0.3, 0.5])
    feedback = Feedback.from_dict(
        {
            "action": actions,
            "reward": rng.random(n) < chances[actions],
            "pscore": np.full(n, 0.2),
            "n_actions": 5,
        }
    )
    return feedback, np.tile(target, (n, 1)), float(target @ chances)


def test_every_estimator_comes_within_a_fifth_of_the_truth() -> None:
    feedback, target, truth = simulated(3000, seed=1)
    estimates = evaluate(of_actions(feedback, target, crossfitted_rewards(feedback)))
    assert [one.estimator for one in estimates] == [
        "replay", "dm", "ips", "snips", "dr", "switch", "dros",
    ]  # fmt: skip
    for one in estimates:
        assert one.supported
        assert one.value == pytest.approx(truth, rel=0.2)
        if one.estimator == "dm":
            assert (one.low, one.high, one.bernstein) == (None,) * 3
        else:
            assert one.low is not None
            assert one.value is not None
            assert one.high is not None
            assert one.low < one.value < one.high
            assert one.low <= truth <= one.high


def test_the_gain_over_the_log_is_surer_than_the_value() -> None:
    feedback, target, truth = simulated(3000, seed=1)
    evidence = of_actions(feedback, target)
    (gain,) = evaluate(evidence, ["ips"], against_log=True)
    (same,) = evaluate(evidence, ["ips"], against=of_actions(feedback, np.full((3000, 5), 0.2)))
    assert gain.gain
    assert gain.value == pytest.approx(truth - 0.23, abs=0.05)
    assert same.value == pytest.approx(gain.value)
    assert gain.low is not None
    assert gain.low > 0.0
