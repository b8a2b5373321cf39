"""What every retrieval policy must do, over every policy there is."""

from __future__ import annotations

import copy
import importlib
import itertools
import pkgutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bandit
from bandit.base import Choice, Floats, RetrievalPolicy, Rounds
from bandit.policy import LadderPolicy
from bandit.registry import load_policy, policies

for module in pkgutil.iter_modules(bandit.__path__):
    importlib.import_module(f"bandit.{module.name}")

LADDER = np.array([0, 3, 10], np.int32)
GENERATORS, CONTEXT, ACTION = 2, 3, 2
PRICE = 0.01

Arguments = tuple[Floats, Floats, Floats, float]


KINDS = [kind for kind in policies().values() if issubclass(kind, LadderPolicy)]


def built(kind: type[LadderPolicy], generators: int = GENERATORS) -> LadderPolicy:
    return kind(LADDER, generators)


def disjoint(generators: int = GENERATORS) -> Floats:
    overlap = np.zeros((generators, len(LADDER), generators, len(LADDER)))
    for i in range(generators):
        overlap[i, :, i, :] = np.minimum.outer(LADDER, LADDER)
    return overlap


def arguments(seed: int = 0) -> Arguments:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=CONTEXT)
    return x, rng.normal(size=(GENERATORS, len(LADDER), ACTION)), disjoint(), PRICE


def rounds(n: int = 40, seed: int = 1, late: bool = False) -> Rounds:
    rng = np.random.default_rng(seed)
    rewards = np.cumsum(rng.random((n, GENERATORS, len(LADDER))) < 0.3, axis=2).astype(float)
    rewards[:, :, 0] = 0.0
    return Rounds(
        contexts=rng.normal(size=(n, CONTEXT)),
        actions=rng.normal(size=(n, GENERATORS, len(LADDER), ACTION)),
        depths=rng.choice(LADDER, size=(n, GENERATORS)).astype(np.int32),
        propensities=np.full(n, 0.2),
        marginals=np.full((n, GENERATORS), 0.5),
        rewards=rewards,
        late=np.full(n, late),
    )


def same(one: Choice, other: Choice) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "depths")
        for name in ("depths", "marginals", "gains", "bonuses")
    ) and (one.propensity == other.propensity)


def choices(policy: RetrievalPolicy, seeds: int = 30) -> list[Choice]:
    return [
        policy.choose(*arguments(seed % 5), np.random.default_rng(seed)) for seed in range(seeds)
    ]


@pytest.fixture(params=KINDS, ids=[kind.name for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> type[LadderPolicy]:
    found: type[LadderPolicy] = request.param
    return found


@pytest.fixture(params=["cold", "taught"])
def policy(request: pytest.FixtureRequest, kind: type[LadderPolicy]) -> LadderPolicy:
    made = built(kind)
    if request.param == "taught":
        made.update(rounds())
    return made


def test_every_policy_is_found() -> None:
    assert {"linucb", "epsilon_greedy", "thompson", "uniform", "fixed"} <= set(policies())
    assert [kind.name for kind in KINDS] == list(policies())


def test_a_choice_has_rungs_of_the_ladder_and_probabilities(policy: LadderPolicy) -> None:
    for choice in choices(policy):
        assert choice.depths.shape == (GENERATORS,)
        assert choice.depths.dtype == np.int32
        assert np.isin(choice.depths, LADDER).all()
        assert 0.0 < choice.propensity <= 1.0 + 1e-12
        # A whole plan cannot be more probable than one of its depths.
        assert (choice.marginals >= choice.propensity - 1e-12).all()
        assert choice.gains.shape == choice.bonuses.shape == (GENERATORS,)


def test_probabilities_of_all_plans_sum_to_one_and_give_the_marginals(
    policy: LadderPolicy,
) -> None:
    chances = policy.distribution(*arguments())
    plans = list(itertools.product(range(len(LADDER)), repeat=GENERATORS))
    joint = np.array([chances.probability(np.array(plan)) for plan in plans])
    assert joint.sum() == pytest.approx(1.0, abs=1e-12)
    marginals = np.zeros((GENERATORS, len(LADDER)))
    for plan, chance in zip(plans, joint, strict=True):
        marginals[np.arange(GENERATORS), list(plan)] += chance
    np.testing.assert_allclose(chances.marginals(), marginals, atol=1e-12)


def test_plans_are_played_as_often_as_their_propensity_says(policy: LadderPolicy) -> None:
    draws = 3000
    played: Counter[tuple[int, ...]] = Counter()
    own: Counter[tuple[int, int]] = Counter()
    said: dict[tuple[int, ...], Choice] = {}
    rng = np.random.default_rng(7)
    for _ in range(draws):
        choice = policy.choose(*arguments(), rng)
        plan = tuple(choice.depths.tolist())
        played[plan] += 1
        own.update(enumerate(plan))
        assert same(said.setdefault(plan, choice), choice)
    for plan, choice in said.items():
        spread = np.sqrt(choice.propensity * (1 - choice.propensity) / draws)
        assert abs(played[plan] / draws - choice.propensity) <= 4.5 * spread + 1e-9
        for i, marginal in enumerate(choice.marginals):
            spread = np.sqrt(max(marginal * (1 - marginal), 0.0) / draws)
            assert abs(own[i, plan[i]] / draws - marginal) <= 4.5 * spread + 1e-9
    assert sum(choice.propensity for choice in said.values()) >= 0.99


def test_same_seed_same_choice(policy: LadderPolicy) -> None:
    assert all(map(same, choices(policy), choices(policy)))


def test_plans_depend_on_a_search_where_the_policy_heeds_it(
    kind: type[LadderPolicy],
) -> None:
    taught = built(kind)
    taught.update(rounds())
    x, features, overlap, price = arguments()
    told = [
        taught.distribution(x * scale, features * scale, overlap, price)
        for scale in (-9.0, 0.0, 9.0)
    ]
    marginals = {one.marginals().tobytes() for one in told}
    assert (len(marginals) > 1) is kind.heeds


def test_two_policies_taught_alike_choose_alike(kind: type[LadderPolicy]) -> None:
    one, other = built(kind), built(kind)
    for made in (one, other):
        made.update(rounds())
    assert all(map(same, choices(one), choices(other)))


def test_an_empty_update_changes_nothing(policy: LadderPolicy) -> None:
    before = choices(policy)
    policy.update(rounds(0))
    assert all(map(same, before, choices(policy)))


def test_a_copy_taken_before_an_update_goes_on_as_before(policy: LadderPolicy) -> None:
    before, kept = choices(policy), copy.copy(policy)
    policy.update(rounds(60, seed=3))
    policy.update(rounds(60, seed=4, late=True))
    assert all(map(same, before, choices(kept)))


def test_choosing_and_learning_leave_their_arguments_alone(policy: LadderPolicy) -> None:
    given = arguments()
    kept = copy.deepcopy(given)
    policy.choose(*given, np.random.default_rng(0))
    for found, expected in zip(given, kept, strict=True):
        np.testing.assert_array_equal(found, expected)
    batch, twin = rounds(), rounds()
    policy.update(batch)
    for name in ("contexts", "actions", "depths", "rewards", "late"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(twin, name))


def test_a_saved_policy_chooses_and_saves_to_the_byte(policy: LadderPolicy, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    policy.save(first)
    loaded = load_policy(first)
    assert type(loaded) is type(policy)
    assert all(map(same, choices(policy), choices(loaded)))
    loaded.save(second)
    assert sorted(file.name for file in first.iterdir()) == ["manifest.json", "state.npz"]
    for file in first.iterdir():
        assert (second / file.name).read_bytes() == file.read_bytes()
    for made in (policy, loaded):
        made.update(rounds(30, seed=9))
    assert all(map(same, choices(policy), choices(loaded)))


def test_a_folder_of_another_policy_is_refused(kind: type[LadderPolicy], tmp_path: Path) -> None:
    other = next(one for one in KINDS if one is not kind)
    built(other).save(tmp_path)
    with pytest.raises(ValueError, match=f"found policy '{other.name}', expected '{kind.name}'"):
        kind.load(tmp_path)


def test_a_folder_without_a_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no manifest\.json"):
        load_policy(tmp_path)


def test_a_state_that_is_not_the_manifests_is_refused(
    kind: type[LadderPolicy], tmp_path: Path
) -> None:
    taught = built(kind)
    taught.update(rounds())
    taught.save(tmp_path)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    spoilt = {name: array[..., :-1] for name, array in arrays.items()} or {"A": np.zeros(1)}
    np.savez(tmp_path / "state.npz", allow_pickle=False, **spoilt)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        load_policy(tmp_path)


@pytest.mark.parametrize(
    ("ladder", "message"),
    [
        ([3, 10], "found first depth 3, expected 0"),
        ([0, 10, 10], "strictly ascending"),
        ([0, 10, 5], "strictly ascending"),
        ([0], "at least two"),
        ([[0, 3]], "at least two"),
        ([0.0, 3.0], "whole depths"),
    ],
)
def test_bad_ladders(kind: type[LadderPolicy], ladder: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(np.array(ladder), GENERATORS)


def test_no_generators(kind: type[LadderPolicy]) -> None:
    with pytest.raises(ValueError, match="generators: found 0"):
        built(kind, 0)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.zeros((1, CONTEXT)), "x: found shape"),
        (0, np.array([0.0, np.nan, 1.0]), r"x: found nan at index \[1\]"),
        (1, np.zeros((GENERATORS, len(LADDER))), "action_features: found shape"),
        (1, np.zeros((GENERATORS + 1, len(LADDER), ACTION)), "action_features: found shape"),
        (1, np.full((GENERATORS, len(LADDER), ACTION), np.inf), "action_features: found inf"),
        (2, disjoint()[:, :2], "overlap: found shape"),
        (2, disjoint() * np.nan, "overlap: found nan"),
        (3, -1.0, "price: found -1"),
        (3, float("nan"), "price: found nan"),
    ],
)
def test_bad_questions(policy: LadderPolicy, place: int, value: Any, message: str) -> None:
    given: list[Any] = [*arguments(), np.random.default_rng(0)]
    given[place] = value
    with pytest.raises(ValueError, match=message):
        policy.choose(*given)


def test_rounds_of_other_generators_are_refused(kind: type[LadderPolicy]) -> None:
    with pytest.raises(ValueError, match=r"other generators or another ladder"):
        built(kind, GENERATORS + 1).update(rounds())


def test_rounds_with_missing_features_are_refused(policy: LadderPolicy) -> None:
    spoilt = rounds()
    spoilt.contexts[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"rounds\.contexts: found nan at index \[2, 1\]"):
        policy.update(spoilt)


def test_an_infinite_price_draws_nothing_unless_the_plan_ignores_prices(
    kind: type[LadderPolicy],
) -> None:
    x, features, overlap, _ = arguments()
    chances = built(kind).distribution(x, features, overlap, float("inf"))
    ignores_prices = kind.name in {"uniform", "fixed"}
    assert ignores_prices or not chances.plans.any()
