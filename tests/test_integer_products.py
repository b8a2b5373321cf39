"""Products of 8-bit integers: exact, in either way of computing them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.integer_products import OFFSET, TILE, _plain_products, multiply, packed
from retrievers.quantised_layers import attend, exponentials, gelu, linear, quantised


@given(st.integers(0, 7), st.integers(1, 3), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_both_ways_give_the_exact_integers(rows: int, tiles: int, groups: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-127, 128, (rows, 4 * groups)).astype(np.int8)
    w = rng.integers(-127, 128, (tiles * TILE, 4 * groups)).astype(np.int8)
    expected = x.astype(np.int64) @ w.T.astype(np.int64)
    found = np.empty(expected.shape, np.int32)
    multiply(x, packed(w), found)
    np.testing.assert_array_equal(found, expected)
    plain = np.empty(expected.shape, np.int32)
    _plain_products(x, packed(w), plain)
    sums = x.astype(np.int64).sum(axis=1)[:, None]
    np.testing.assert_array_equal(plain - OFFSET * sums, expected)


def test_the_largest_sums_fit() -> None:
    x, w = np.full((1, 1536), -127, np.int8), np.full((TILE, 1536), 127, np.int8)
    found = np.empty((1, TILE), np.int32)
    multiply(x, packed(w), found)
    assert (found == -127 * 127 * 1536).all()


def test_a_matrix_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found shape \(63, 4\), expected multiples"):
        packed(np.zeros((63, 4), np.int8))


def test_a_quantised_product_is_near_the_true_one() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 384)).astype(np.float32)
    x[4] = 0.0  # a row without anything has no scale
    w, bias = rng.normal(size=(384, 128)).astype(np.float32), np.ones(128, np.float32)
    kept = quantised([w], [bias])
    found = np.empty((5, 128), np.float32)
    linear(x, kept.w[0], kept.scale[0], kept.bias[0], found)
    expected = x @ w + bias
    np.testing.assert_array_equal(found[4], bias)
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


def test_functions_without_a_library_are_close_to_its_own() -> None:
    x = np.linspace(-12, 12, 4001, dtype=np.float32)
    scaled = x.copy()
    gelu(scaled)
    shares = [0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.tolist()]
    np.testing.assert_allclose(scaled, x * np.array(shares), atol=2e-6)
    powers = -np.abs(x)
    expected = np.exp(powers.astype(np.float64))
    exponentials(powers)
    np.testing.assert_allclose(powers, expected, rtol=2e-4)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 40])
def test_attention_is_the_softmax_of_its_own_text(n: int) -> None:
    heads, size, before = 3, 8, 2
    rng = np.random.default_rng(n)
    qkv = rng.normal(size=(before + n + 1, 3 * heads * size)).astype(np.float32)
    found = np.full((len(qkv), heads * size), 7.0, np.float32)
    attend(qkv, heads, before, before + n, found)
    parts = qkv[before : before + n].astype(np.float64).reshape(n, 3, heads, size)
    query, key, value = parts.transpose(1, 2, 0, 3)
    weights = np.exp(query @ key.swapaxes(1, 2))
    weights /= weights.sum(axis=2, keepdims=True)
    expected = (weights @ value).swapaxes(0, 1).reshape(n, heads * size)
    np.testing.assert_allclose(found[before : before + n], expected, rtol=1e-3, atol=1e-4)
    assert (found[[0, 1, -1]] == 7.0).all()
