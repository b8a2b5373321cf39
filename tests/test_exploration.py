"""Exploration in a ranking: propensities against counts, and the bounds on what it costs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rankers.exploration import swapped, within_loss
from rankers.propensity import Examination

CURVE = Examination.prior(10)


def test_off_is_the_order_itself() -> None:
    order = np.arange(30)
    found = swapped(order, CURVE, 0.0, np.random.default_rng(0))
    assert found.order is order
    assert (found.propensity, found.swap) == (1.0, None)
    for short in (np.arange(0), np.arange(6)):
        assert swapped(short, CURVE, 0.5, np.random.default_rng(0)).swap is None


def test_swaps_have_the_propensity_they_are_drawn_with() -> None:
    rng, counts, stated = np.random.default_rng(0), Counter[tuple[int, int] | None](), {}
    n = 5_000
    for _ in range(n):
        found = swapped(np.arange(14), CURVE, 0.02, rng)
        counts[found.swap] += 1
        stated[found.swap] = found.propensity
        if found.swap:
            i, j = found.swap
            assert j == i + 1 if i < 5 else i < 10 and i < j < 14
            assert found.order[i] == j
            assert found.order[j] == i
        assert sorted(found.order.tolist()) == list(range(14))
    assert sum(stated.values()) == pytest.approx(1.0)
    for swap, count in counts.items():
        chance = stated[swap]
        assert abs(count / n - chance) < 4 * np.sqrt(chance * (1 - chance) / n)


@pytest.mark.parametrize("loss", [0.001, 0.01, 0.05])
def test_swaps_cost_no_more_than_stated_at_the_worst(loss: float) -> None:
    """Everything on the page is wanted, nothing below it: no world makes a swap dearer."""
    rng, looked = np.random.default_rng(1), np.r_[CURVE.curve, np.zeros(10)]
    wanted = np.r_[np.ones(10), np.zeros(10)]
    whole = looked @ wanted
    lost = [
        1 - looked @ wanted[swapped(np.arange(20), CURVE, loss, rng).order] / whole
        for _ in range(5_000)
    ]
    assert np.mean(lost) <= loss + 3 * np.std(lost) / 5_000**0.5
    assert np.mean(lost) > 0


def test_a_shorter_page_is_the_beginning_of_a_longer_one() -> None:
    for seed in range(50):
        orders = [
            swapped(np.arange(n), CURVE, 0.2, np.random.default_rng(seed)).order for n in (20, 60)
        ]
        assert orders[0].tolist() == orders[1][:20].tolist()


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.3])
def test_a_page_keeps_what_it_must(loss: float) -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        n = int(rng.integers(1, 25))
        worth, order, wanted = rng.random(n), rng.permutation(n), rng.permutation(n)
        made = within_loss(order, wanted, worth, CURVE, loss)
        assert sorted(made.tolist()) == list(range(n))
        size = min(n, 10)
        before, after = (CURVE.curve[:size] @ worth[o[:size]] for o in (order, made))
        assert after >= (1 - loss) * before - 1e-9
    free = within_loss(np.arange(5), np.arange(5)[::-1], np.ones(5), CURVE, 0.0)
    assert free.tolist() == [4, 3, 2, 1, 0]  # equals change places for nothing


def test_bad_arguments_are_named() -> None:
    rng = np.random.default_rng(0)
    for loss in (-0.1, 1.5, np.nan):
        with pytest.raises(ValueError, match="loss: found"):
            swapped(np.arange(20), CURVE, loss, rng)
        with pytest.raises(ValueError, match="loss: found"):
            within_loss(np.arange(2), np.arange(2), np.ones(2), CURVE, loss)
