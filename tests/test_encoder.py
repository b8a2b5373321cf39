"""Encoders, and the grid that makes dot products exact."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.encoder import (
    STEP,
    Encoder,
    QueryVectors,
    default_encoder,
    embed,
    identity_of,
    on_grid,
    resolve,
)
from tests.counting import Counting, Floats


class Broken:
    def __init__(self, answer: Floats) -> None:
        self.answer = answer

    def encode(self, texts: list[str], /) -> Floats:
        return self.answer


# --- the grid


@given(st.integers(1, 500), st.integers(0, 2**32 - 1))
def test_dot_products_on_the_grid_have_the_same_bits_in_any_order(dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = on_grid(rng.standard_normal((7, dim)) ** 3).astype(np.float32)
    exact = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    for order in (np.arange(dim), rng.permutation(dim)):
        shuffled = np.ascontiguousarray(vectors[:, order])
        assert (shuffled @ shuffled.T == exact).all()
        running = np.zeros((7, 7), np.float32)
        for column in shuffled.T:
            running += np.outer(column, column)
        assert (running == exact).all()


@given(st.integers(1, 500), st.integers(0, 2**32 - 1))
def test_the_grid_keeps_direction_and_norm(dim: int, seed: int) -> None:
    raw = np.random.default_rng(seed).standard_normal((3, dim))
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    stored = on_grid(raw).astype(np.float64)
    assert np.abs(stored - unit).max() <= STEP / 2 + 1e-12
    assert ((stored / STEP) % 1 == 0).all()
    assert (np.abs(np.linalg.norm(stored, axis=1) - 1) < 0.01).all()


def test_the_grid_takes_zeros_and_axes_as_they_are() -> None:
    axes = np.array([[0, 0, 0], [0, -3, 0], [1e-30, 0, 0]], np.float64)
    assert on_grid(axes).tolist() == [[0, 0, 0], [0, -1, 0], [1, 0, 0]]


# --- encoders


def test_resolving_what_users_name() -> None:
    own = Counting()
    assert resolve(own) is own
    assert resolve(None) is default_encoder() is default_encoder()
    assert identity_of(resolve("some/model")) == "sentence-transformers:some/model"
    with pytest.raises(TypeError, match=r"encode.*found int"):
        resolve(cast(Encoder, 3))
    with pytest.raises(FileNotFoundError, match="no folder"):
        resolve(Path("nowhere"))


def test_identity_without_a_name_is_that_of_the_class() -> None:
    assert identity_of(Broken(np.zeros((1, 1), np.float32))).endswith("test_encoder.Broken")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((1, 4), np.float32), r"shape \(1, 4\) for 2 texts"),
        (np.zeros(2, np.float32), r"shape \(2,\) for 2 texts"),
        (np.zeros((2, 0), np.float32), r"expected \(2, dim\)"),
        (np.array([[1, 0], [np.nan, 0]], np.float32), "not finite, for the text 'b'"),
    ],
)
def test_what_an_encoder_may_not_answer(answer: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        embed(Broken(answer), ["a", "b"])


def test_embed_encodes_each_distinct_text_once_in_order() -> None:
    encoder = Counting()
    vectors = embed(encoder, ["b", "a", "b", "c", "a"])
    assert encoder.asked == ["b", "a", "c"]
    assert (vectors == on_grid(Counting().encode(["b", "a", "b", "c", "a"]))).all()


def test_progress_is_shown_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    embed(Counting(), ["a"])
    assert capsys.readouterr() == ("", "")
    embed(Counting(), ["a"], progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "encoding" in err


def test_query_vectors_are_cached_up_to_a_bound() -> None:
    encoder = Counting()
    vector = QueryVectors(encoder, 2)
    first = vector("a")
    assert vector("a") is first
    assert not first.flags.writeable
    vector("b"), vector("c"), vector("a")
    assert encoder.asked == ["a", "b", "c", "a"]
    assert (first == on_grid(Counting().encode(["a"]))[0]).all()
