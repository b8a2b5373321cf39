from __future__ import annotations

import json
import re

import numpy as np
import pytest

from bandit.base import Floats
from bandit.ope import Requirements, evaluate, support, weighed


def test_support_by_hand() -> None:
    found = support(weighed(np.array([1.0, 2.0, 0.0]), np.full(3, 0.5), np.array([0.5, 1.0, 0.0])))
    assert found.rounds == 3
    assert found.effective == pytest.approx((1 + 2) ** 2 / (1 + 4))
    assert found.rewarded == pytest.approx((1 + 4) ** 2 / (1 + 16))
    assert found.largest == 2.0
    assert found.mean_weight == pytest.approx(1.0)
    assert found.mean_weight_error == pytest.approx(np.sqrt(2 / 3) / np.sqrt(3))


def test_of_several_parts_the_worst_one_counts() -> None:
    target = np.column_stack([np.full(400, 0.5), np.where(np.arange(400) % 4 == 0, 1.0, 0.0)])
    found = support(weighed(np.ones((400, 2)), np.full((400, 2), 0.5), target))
    assert found.effective == pytest.approx(100.0)
    assert found.mean_weight == pytest.approx(0.5)


EVEN = np.where(np.arange(400) % 2 == 0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("target", "rewards", "unsupported", "message"),
    [
        (EVEN, None, 0.2, r"never tried 20\.0% of what the target policy does"),
        (EVEN[:100], None, 0.0, r"effective sample size is 50\.0 of 100 rounds"),
        (EVEN, np.where(np.arange(400) < 12, 1.0, 0.0), 0.0, r"rewarded rounds is 6\.0"),
        (EVEN, np.zeros(400), 0.0, r"rewarded rounds is 0\.0"),
        (0.6 * EVEN, None, 0.0, "the weights have mean 0.600"),
        (np.zeros(400), None, 0.0, r"effective sample size is 0\.0"),
        (np.full(400, 0.5), np.ones(400), 0.0, "do not vary enough"),
    ],
)
def test_where_the_log_cannot_answer_there_is_a_reason_and_no_number(
    target: Floats, rewards: Floats | None, unsupported: float, message: str
) -> None:
    taken = np.random.default_rng(0).random(target.size) if rewards is None else rewards
    evidence = weighed(taken, np.full(target.size, 0.5), target, unsupported=unsupported)
    (found,) = evaluate(evidence, ["ips"])
    assert not found.supported
    assert any(re.search(message, reason) for reason in found.reasons)
    assert (found.value, found.low, found.high, found.bernstein) == (None,) * 4


def test_the_demands_are_the_users() -> None:
    evidence = weighed(np.random.default_rng(0).random(100), np.full(100, 0.5), EVEN[:100])
    assert not evaluate(evidence, ["ips"])[0].supported
    assert evaluate(evidence, ["ips"], requirements=Requirements(effective=50.0))[0].supported


def test_both_sides_of_a_difference_need_support() -> None:
    rewards, logging = np.random.default_rng(0).random(400), np.full(400, 0.5)
    good = weighed(rewards, logging, EVEN)
    bad = weighed(rewards, logging, np.where(np.arange(400) < 20, 1.0, 0.0))
    assert evaluate(good, ["snips"])[0].supported
    for found in (evaluate(good, ["snips"], against=bad), evaluate(bad, ["snips"], against=good)):
        assert not found[0].supported


def test_estimates_are_plain_json() -> None:
    rng = np.random.default_rng(0)
    model = rng.random(400)
    evidence = weighed(rng.random(400), np.full(400, 0.5), EVEN, predicted=model, expected=model)
    for one in evaluate(evidence):
        read = json.loads(json.dumps(one.to_json(), allow_nan=False))
        assert read["estimator"] == one.estimator
        assert read["value"] == one.value
        assert read["weights"] == "joint"
        assert read["support"]["rounds"] == 400


def test_without_a_model_the_estimators_that_need_one_are_left_out() -> None:
    evidence = weighed(np.random.default_rng(0).random(400), np.full(400, 0.5), EVEN)
    assert [one.estimator for one in evaluate(evidence)] == ["replay", "ips", "snips"]


def test_a_known_range_makes_the_bernstein_interval_of_ips_exact_and_wider() -> None:
    evidence = weighed(0.3 * np.random.default_rng(0).random(400), np.full(400, 0.5), EVEN)
    (seen,) = evaluate(evidence, ["ips"])
    (known,) = evaluate(evidence, ["ips"], width=2.0)
    assert seen.bernstein is not None
    assert known.bernstein is not None
    assert known.bernstein[0] < seen.bernstein[0]
    assert known.bernstein[1] > seen.bernstein[1]
    assert (known.low, known.high) == (seen.low, seen.high)


def test_unknown_names_and_two_references_are_refused() -> None:
    evidence = weighed(np.ones(3), np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match=r"estimators: found \['magic'\]"):
        evaluate(evidence, ["magic"])
    with pytest.raises(ValueError, match="found both, expected one at most"):
        evaluate(evidence, against=evidence, against_log=True)
