from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bandit.base import Depths, Floats, Rounds
from bandit.epsilon_greedy import EpsilonGreedy
from bandit.linear import LinearPolicy
from bandit.linucb import LinUCB
from bandit.plans import greedy
from bandit.thompson import Thompson

LADDER = np.array([0, 3, 10], np.int32)
UNDRAWN = 0.25
WIDE = np.array([0, 3, 5, 10, 20], np.int32)


def apart(generators: int, ladder: Depths = LADDER) -> Floats:
    overlap = np.zeros((generators, len(ladder), generators, len(ladder)))
    for i in range(generators):
        overlap[i, :, i, :] = np.minimum.outer(ladder, ladder)
    return overlap


def rounds(
    n: int, seed: int = 0, *, propensity: float = 0.5, late: bool = False, columns: int = 2
) -> Rounds:
    rng = np.random.default_rng(seed)
    rewards = np.zeros((n, 2, 3))
    rewards[:, :, 1:] = rng.normal(0.3, 0.5, size=(n, 2, 2)).cumsum(axis=2)
    return Rounds(
        contexts=rng.normal(size=(n, 3)),
        actions=rng.normal(size=(n, 2, 3, columns)),
        depths=rng.choice(LADDER, size=(n, 2)).astype(np.int32),
        propensities=np.full(n, propensity),
        marginals=np.full((n, 2), 0.5),
        rewards=rewards,
        late=np.full(n, late),
    )


def by_hand(batch: Rounds, i: int, rung: int, penalty: float, mean: float) -> tuple[Floats, Floats]:
    """A and b of one step, straight from the definition."""
    width = 1 + batch.contexts.shape[1] + batch.actions.shape[3]
    A = penalty * np.eye(width)
    b = np.zeros(width)
    b[0] = penalty * mean
    for t in range(len(batch)):
        drawn = np.isnan(batch.propensities[t]) or batch.depths[t, i] >= LADDER[rung]
        weight = 1.0 if drawn else UNDRAWN * batch.rewards[t].any()
        z = np.concatenate([[1.0], batch.contexts[t], batch.actions[t, i, rung]])
        A += weight * np.outer(z, z)
        b += weight * (batch.rewards[t, i, rung] - batch.rewards[t, i, rung - 1]) * z
    return A, b


@pytest.mark.parametrize("propensity", [0.5, np.nan])
def test_gains_and_bonuses_are_those_of_the_normal_equations(propensity: float) -> None:
    policy = LinUCB(LADDER, 2, alpha=0.7, penalty=2.0, prior_gain=0.4, undrawn=UNDRAWN, epsilon=0.0)
    batch = rounds(50, propensity=propensity)
    policy.update(batch)
    asked = rounds(1, seed=5)
    x, features = asked.contexts[0], asked.actions[0]
    gains, bonuses = np.zeros((2, 3)), np.zeros((2, 3))
    for i, rung in itertools.product(range(2), (1, 2)):
        share = np.log1p(LADDER[rung]) - np.log1p(LADDER[rung - 1])
        A, b = by_hand(batch, i, rung, 2.0, 0.4 * share / np.log1p(10))
        z = np.concatenate([[1.0], x, features[i, rung]])
        gains[i, rung] = gains[i, rung - 1] + z @ np.linalg.solve(A, b)
        width = np.sqrt(z @ np.linalg.solve(A, z))
        bonuses[i, rung] = bonuses[i, rung - 1] + 0.7 * width
    chances = policy.distribution(x, features, apart(2), 0.05)
    np.testing.assert_allclose(chances.gains, gains, atol=1e-10)
    np.testing.assert_allclose(chances.bonuses, bonuses, atol=1e-10)
    assert chances.plans.tolist() == [greedy(gains + bonuses, apart(2), 0.05, LADDER).tolist()]


def test_two_batches_teach_as_one() -> None:
    whole, halves = LinUCB(LADDER, 2, half_life=1e12), LinUCB(LADDER, 2, half_life=1e12)
    batch = rounds(40, propensity=np.nan)
    whole.update(batch)
    for rows in (slice(0, 15), slice(15, 40)):
        halves.update(
            Rounds(**{name: getattr(batch, name)[rows] for name in Rounds.__dataclass_fields__})
        )
    np.testing.assert_allclose(whole.model(3, 2).theta, halves.model(3, 2).theta, atol=1e-12)


def test_a_late_reward_adds_to_the_reward_alone() -> None:
    at_once, later = LinUCB(LADDER, 2), LinUCB(LADDER, 2)
    batch, rest = rounds(40), rounds(40, late=True)
    at_once.update(batch)
    batch.rewards[:] *= 0.25
    rest.rewards[:] *= 0.75
    later.update(batch)
    later.update(rest)
    np.testing.assert_allclose(at_once.model(3, 2).A, later.model(3, 2).A, atol=1e-12)
    np.testing.assert_allclose(at_once.model(3, 2).b, later.model(3, 2).b, atol=1e-12)


def test_without_clicks_a_step_that_was_not_drawn_teaches_nothing() -> None:
    batch = rounds(30)
    batch.rewards[:] = 0.0
    batch.depths[:, 0] = 3
    batch.depths[:, 1] = 0
    before, policy = LinUCB(LADDER, 2).model(3, 2), LinUCB(LADDER, 2)
    policy.update(batch)
    after = policy.model(3, 2)
    changed = [not np.array_equal(before.A[arm], after.A[arm]) for arm in range(4)]
    assert changed == [True, False, False, False]


def test_with_clicks_steps_that_were_not_drawn_are_told_by_hindsight() -> None:
    batch = rounds(30)
    batch.depths[:] = 0
    batch.rewards[:, 1] = 0.0
    policy = LinUCB(LADDER, 2)
    policy.update(batch)
    before, after = LinUCB(LADDER, 2).model(3, 2), policy.model(3, 2)
    assert all(not np.array_equal(before.A[arm], after.A[arm]) for arm in range(4))


def test_what_was_drawn_outweighs_hindsight() -> None:
    """Of one step, half of the rounds drew it and found nothing; clicks of others say that it finds half."""
    batch = rounds(400)
    batch.contexts[:], batch.actions[:], batch.rewards[:] = 0.0, 0.0, 0.0
    batch.rewards[:, 1, 1:] = 1.0
    batch.depths[:] = 0
    batch.depths[::2, 0] = 3
    batch.rewards[1::2, 0, 1:] = 0.5
    gains = []
    for undrawn in (0.0, 0.1, 1.0):
        policy = LinUCB(LADDER, 2, undrawn=undrawn, prior_gain=0.0)
        policy.update(batch)
        gains.append(policy.model(3, 2).theta[0, 0])
    assert gains[0] == 0.0
    assert gains[1:] == pytest.approx([0.5 * 20 / (220 + 10), 0.5 * 200 / (400 + 10)], rel=0.02)


def test_rounds_count_half_after_a_half_life() -> None:
    batch, nothing = rounds(40), rounds(40, seed=1)
    nothing.contexts[:], nothing.actions[:], nothing.rewards[:] = 0.0, 0.0, 0.0
    nothing.depths[:] = 0
    policy, prior = LinUCB(LADDER, 2, half_life=40.0), LinUCB(LADDER, 2).model(3, 2)
    policy.update(batch)
    learnt = policy.model(3, 2)
    policy.update(nothing)
    faded = policy.model(3, 2)
    np.testing.assert_allclose(faded.A - prior.A, 0.5 * (learnt.A - prior.A), atol=1e-12)
    np.testing.assert_allclose(faded.b - prior.b, 0.5 * (learnt.b - prior.b), atol=1e-12)


@pytest.mark.parametrize("kind", [LinUCB, EpsilonGreedy, Thompson])
def test_before_any_data_every_generator_is_asked_for_a_little(
    kind: Callable[[Depths, int], LinearPolicy],
) -> None:
    ladder = np.array([0, 3, 5, 10, 20, 35, 50, 100], np.int32)
    policy = kind(ladder, 7)
    x = np.full(10, 0.3)
    chances = policy.distribution(x, np.full((7, 8, 5), 0.3), apart(7, ladder), 0.02)
    asked = ladder[chances.plans].mean(axis=0)
    assert (asked > 0).all()
    assert asked.max() <= 20
    dearer = policy.distribution(x, np.full((7, 8, 5), 0.3), apart(7, ladder), 0.05)
    assert ladder[dearer.plans].sum() < ladder[chances.plans].sum()


def test_optimism_shrinks_as_rounds_come_in() -> None:
    policy = LinUCB(LADDER, 2)
    asked = rounds(1, seed=5)
    widths = []
    for seed in range(4):
        chances = policy.distribution(asked.contexts[0], asked.actions[0], apart(2), 0.05)
        widths.append(chances.bonuses[:, 2].max())
        policy.update(rounds(100, seed=seed))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.5 * widths[0]


def test_features_changed_after_training_are_named() -> None:
    policy = LinUCB(LADDER, 2)
    policy.update(rounds(5))
    with pytest.raises(
        ValueError, match="trained with 3 context and 2 action features, found 3 and 4"
    ):
        policy.update(rounds(5, columns=4))
    with pytest.raises(ValueError, match="because the features were changed after training"):
        policy.distribution(np.zeros(5), np.zeros((2, 3, 2)), apart(2), 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -0.1}, "alpha: found -0.1"),
        ({"alpha": float("nan")}, "alpha: found nan"),
        ({"epsilon": 1.5}, "epsilon: found 1.5"),
        ({"keep": -0.1}, "keep: found -0.1"),
        ({"penalty": 0.0}, "penalty: found 0.0"),
        ({"prior_gain": -1.0}, "prior_gain: found -1.0"),
        ({"half_life": 0.0}, "half_life: found 0.0"),
        ({"undrawn": 1.5}, r"undrawn: found 1\.5"),
        ({"background": np.full((2, 2), 0.5)}, "background: found shape"),
        ({"background": np.full(3, 0.5)}, "background: rows sum to"),
        ({"background": np.array([1.5, -0.5, 0.0])}, "background: found negative"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinUCB(LADDER, 2, **options)


def planted(n: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Contexts of two kinds, and what each rung would bring: the one right document lies in the
    first ten of generator 0 for the first kind, of generator 1 for the other, and never in 2."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2, n)
    contexts = np.column_stack([kinds == 0, kinds == 1, rng.normal(size=n)]).astype(float)
    ranks = rng.integers(0, 10, n)
    brought = np.zeros((n, 3, len(WIDE)))
    for t in range(n):
        brought[t, kinds[t]] = ranks[t] < WIDE
    return contexts, np.zeros((n, 3, len(WIDE), 1)), brought


@pytest.mark.parametrize("kind", [LinUCB, EpsilonGreedy, Thompson])
def test_learns_whom_to_ask_from_its_own_plans(kind: Callable[[Depths, int], LinearPolicy]) -> None:
    policy = kind(WIDE, 3)
    overlap, price, rng = apart(3, WIDE), 0.02, np.random.default_rng(3)
    contexts, actions, brought = planted(500, seed=1)
    for chunk in np.split(np.arange(500), 20):
        plays = [policy.choose(contexts[t], actions[t], overlap, price, rng) for t in chunk]
        depths = np.array([play.depths for play in plays])
        # Only what the plan brought can be clicked: nothing beyond the drawn depth pays.
        drawn = np.minimum(np.searchsorted(WIDE, depths)[:, :, None], np.arange(len(WIDE)))
        policy.update(
            Rounds(
                contexts=contexts[chunk],
                actions=actions[chunk],
                depths=depths,
                propensities=np.array([play.propensity for play in plays]),
                marginals=np.array([play.marginals for play in plays]),
                rewards=np.take_along_axis(brought[chunk], drawn, axis=2),
                late=np.zeros(chunk.size, np.bool_),
            )
        )
    contexts, actions, brought = planted(200, seed=2)
    plans = np.array(
        [
            policy.distribution(x, features, overlap, price).plans[0]
            for x, features in zip(contexts, actions, strict=True)
        ]
    )
    recall = np.take_along_axis(brought, plans[:, :, None], axis=2).sum(axis=(1, 2)).mean()
    candidates = WIDE[plans].sum(axis=1).mean()
    # The cheapest fixed plan that finds as much, with hindsight.
    fixed = min(
        WIDE[list(plan)].sum()
        for plan in itertools.product(range(len(WIDE)), repeat=3)
        if brought[:, np.arange(3), list(plan)].sum(axis=1).mean() >= recall - 0.02
    )
    assert recall >= 0.95
    assert candidates <= 0.7 * fixed
