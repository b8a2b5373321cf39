"""Which plans are tried instead of the best one: their chances, exact, against what is played."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bandit.base import Floats
from bandit.exploration import BESIDE
from bandit.linucb import LinUCB
from tests.test_linucb import LADDER, apart, rounds


def drawn(keep: float, own: Floats, planned: int) -> Floats:
    """The chance of each of three rungs for a generator planned at one of them, while exploring."""
    beside = np.array([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])[planned]
    moved: Floats = BESIDE * beside + (1 - BESIDE) * own
    chances: Floats = keep * np.eye(3)[planned] + (1 - keep) * moved
    return chances


def test_the_background_says_how_random_plans_are_drawn() -> None:
    own = np.array([0.25, 0.75, 0.0])
    policy = LinUCB(LADDER, 2, epsilon=1.0, keep=0.0, background=own)
    asked = rounds(1)
    arguments = (asked.contexts[0], asked.actions[0], apart(2), 0.05)
    (planned,) = policy.distribution(*arguments).plans
    expected = np.stack([drawn(0.0, own, int(rung)) for rung in planned])
    rng = np.random.default_rng(0)
    for _ in range(50):
        choice = policy.choose(*arguments, rng)
        own_chances = expected[[0, 1], np.searchsorted(LADDER, choice.depths)]
        np.testing.assert_allclose(choice.marginals, own_chances)
        assert choice.propensity == pytest.approx(own_chances.prod())


@pytest.mark.parametrize("keep", [0.0, 0.7, 1.0])
def test_an_exploring_plan_keeps_a_depth_as_planned_that_often(keep: float) -> None:
    own = np.array([0.5, 0.2, 0.3])
    policy = LinUCB(LADDER, 2, epsilon=0.4, keep=keep, background=own)
    asked = rounds(1)
    arguments = (asked.contexts[0], asked.actions[0], apart(2), 0.05)
    chances = policy.distribution(*arguments)
    (planned,) = chances.plans
    marginals = np.zeros((2, 3))
    near = [drawn(keep, own, int(rung)) for rung in planned]
    for i, rung in itertools.product(range(2), range(3)):
        marginals[i, rung] = 0.6 * (planned[i] == rung) + 0.4 * near[i][rung]
    np.testing.assert_allclose(chances.marginals(), marginals, atol=1e-15)
    joint = np.zeros((3, 3))
    for plan in itertools.product(range(3), repeat=2):
        chance = near[0][plan[0]] * near[1][plan[1]]
        joint[plan] = 0.6 * (planned == plan).all() + 0.4 * chance
        assert chances.probability(np.array(plan)) == pytest.approx(joint[plan])
    assert joint.sum() == pytest.approx(1.0)
    rng, n = np.random.default_rng(1), 4000
    played = np.zeros((3, 3))
    for _ in range(n):
        choice = policy.choose(*arguments, rng)
        plan = tuple(np.searchsorted(LADDER, choice.depths))
        assert choice.propensity == pytest.approx(joint[plan])
        np.testing.assert_allclose(choice.marginals, marginals[[0, 1], plan])
        played[plan] += 1
    error = np.sqrt(joint * (1 - joint) / n)
    assert (np.abs(played / n - joint) <= 4 * error + 1e-12).all()
