from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bandit.base import Floats
from bandit.exploration import PlanDistribution
from bandit.fixed import FixedPlan
from bandit.linucb import LinUCB
from bandit.ope import evaluate, of_plans
from bandit.ope_estimators import doubly_robust, ips
from bandit.plans import Rungs
from bandit.uniform import UniformPolicy

LADDER = np.array([0, 5, 20], np.int32)
PAYS = np.array([[0.0, 0.5, 0.6], [0.0, 0.1, 0.4], [0.0, 0.2, 0.2]])


def question() -> tuple[Floats, Floats, Floats, float]:
    overlap = np.zeros((3, 3, 3, 3))
    for i in range(3):
        overlap[i, :, i, :] = np.minimum.outer(LADDER, LADDER)
    return np.ones(2), np.zeros((3, 3, 1)), overlap, 0.02


def fixed(*depths: int) -> PlanDistribution:
    return FixedPlan(LADDER, 3, depths=depths).distribution(*question())


def uniform_log(n: int, seed: int) -> tuple[Rungs, Floats, Floats, Floats]:
    """Rungs, each generator's reward, joint and marginal propensities under uniform logging."""
    policy, rng = UniformPolicy(LADDER, 3), np.random.default_rng(seed)
    played = [policy.choose(*question(), rng) for _ in range(n)]
    rungs = policy.rungs(np.array([choice.depths for choice in played]))
    rewards = (rng.random((n, 3)) < PAYS[np.arange(3), rungs]).astype(np.float64)
    return (
        rungs,
        rewards,
        np.array([choice.propensity for choice in played]),
        np.array([choice.marginals for choice in played]),
    )


def test_joint_and_marginal_weights_by_hand() -> None:
    rungs = np.array([[1, 2, 0], [1, 1, 0]])
    target = [fixed(5, 20, 0)] * 2
    joint = of_plans(rungs, np.array([2.0, 1.0]), np.array([0.25, 0.5]), target)
    assert joint.kind == "joint"
    assert joint.weights.tolist() == [[4.0], [0.0]]
    marginal = of_plans(
        rungs,
        np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
        np.array([[0.5, 0.5, 0.25], [0.5, 0.5, 1.0]]),
        target,
    )
    assert marginal.kind == "marginal"
    assert marginal.weights.tolist() == [[2.0, 2.0, 4.0], [2.0, 0.0, 1.0]]
    assert ips(marginal).value == pytest.approx((2 + 2 + 2) / 2)


def test_the_target_may_be_any_policy() -> None:
    policy = LinUCB(LADDER, 3, epsilon=0.3)
    target = policy.distribution(*question())
    rungs = np.array([target.plans[0], [1, 0, 2]])
    joint = of_plans(rungs, np.ones(2), np.full(2, 0.5), [target] * 2)
    expected = [2 * target.probability(plan) for plan in rungs]
    np.testing.assert_allclose(joint.weights[:, 0], expected)


def test_marginal_weights_find_the_truth_where_the_joint_plan_is_hardly_logged() -> None:
    rungs, rewards, joint, marginals = uniform_log(2000, seed=1)
    target = [fixed(5, 20, 5)] * 2000
    truth = 0.5 + 0.4 + 0.2
    (by_generator,) = evaluate(of_plans(rungs, rewards, marginals, target), ["ips"])
    (whole,) = evaluate(of_plans(rungs, rewards.sum(axis=1), joint, target), ["ips"])
    assert by_generator.weights == "marginal"
    assert by_generator.supported
    assert by_generator.low is not None
    assert by_generator.high is not None
    assert by_generator.low <= truth <= by_generator.high
    assert by_generator.support.effective > 5 * whole.support.effective
    assert not whole.supported
    assert "effective sample size" in whole.reasons[0]


def test_a_model_makes_plans_doubly_robust() -> None:
    rungs, rewards, _, marginals = uniform_log(500, seed=2)
    target = [fixed(20, 5, 5)] * 500
    estimates = np.broadcast_to(PAYS, (500, 3, 3))
    evidence = of_plans(rungs, rewards, marginals, target, estimates=estimates)
    np.testing.assert_allclose(evidence.expected, np.tile([0.6, 0.1, 0.2], (500, 1)))
    plain, robust = ips(evidence).numerators.std(), doubly_robust(evidence).numerators.std()
    assert robust < plain
    whole = of_plans(rungs, rewards.sum(axis=1), np.full(500, 1 / 27), target, estimates=estimates)
    np.testing.assert_allclose(whole.expected, 0.9)


def test_depths_and_plans_never_logged_are_unsupported() -> None:
    rungs = np.array([[1, 0, 0], [1, 2, 0], [1, 0, 0], [1, 0, 0]])
    ones, halves = np.ones(4), np.full((4, 3), 0.5)
    assert of_plans(rungs, ones, 0.5 * ones, [fixed(5, 20, 0)] * 4).unsupported == 0.0
    assert of_plans(rungs, ones, 0.5 * ones, [fixed(20, 0, 0)] * 4).unsupported == 1.0
    # Each depth was tried, their combination was not.
    tried = np.array([[1, 0, 0], [2, 2, 0], [1, 0, 0], [1, 0, 0]])
    split = [fixed(5, 20, 0)] * 4
    assert of_plans(tried, ones, 0.5 * ones, split).unsupported == 1.0
    assert of_plans(tried, np.ones((4, 3)), halves, split).unsupported == 0.0
    everything = [UniformPolicy(LADDER, 3).distribution(*question())] * 4
    # Generator 2 was only ever at rung 0 of three.
    assert of_plans(tried, np.ones((4, 3)), halves, everything).unsupported == pytest.approx(2 / 3)
    without_rung_0 = 1 - (2 / 3) * (2 / 3) * (1 / 3)
    assert of_plans(tried, ones, 0.5 * ones, everything).unsupported == pytest.approx(
        without_rung_0
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rungs": np.zeros((0, 3), np.int64)}, "rungs: found"),
        ({"rungs": np.zeros((4, 3))}, "rungs: found float64"),
        ({"rungs": np.full((4, 3), 20)}, "These are indices of the ladder, not depths"),
        ({"rungs": np.zeros((4, 2), np.int64)}, "expected 2 generators"),
        ({"targets": [fixed(5, 5, 5)]}, "targets: found 1 distributions, expected 4"),
        ({"rewards": np.ones(3)}, r"found shapes \(3,\) and \(4,\)"),
        ({"rewards": np.ones((4, 3))}, r"expected both \(4,\) for whole plans"),
        ({"propensities": np.array([0.5, np.nan, 0.5, 0.5])}, "imported history"),
        ({"estimates": np.zeros((4, 3))}, "estimates: found shape"),
    ],
)
def test_bad_plans(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "rungs": np.zeros((4, 3), np.int64),
        "rewards": np.ones(4),
        "propensities": np.full(4, 0.5),
        "targets": [fixed(0, 0, 0)] * 4,
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        of_plans(**given)
