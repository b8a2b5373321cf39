"""Codes and levels give back the numbers they were made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.levels import code_type, coded, joined

numbers = st.lists(st.sampled_from([0.7, 1.0, 1.4, 3.0, 4.7]), max_size=12)


@given(numbers, numbers)
def test_joined_codes_are_of_the_same_numbers(first: list[float], later: list[float]) -> None:
    one, other = (np.array(values, np.float32) for values in (first, later))
    codes, others, levels = joined(*coded(one), *coded(other))
    assert levels[codes].tolist() == one.tolist()
    assert levels[others].tolist() == other.tolist()
    assert len(set(levels.tolist())) == levels.size


@pytest.mark.parametrize(
    ("count", "kind"), [(256, np.uint8), (257, np.uint16), (70_000, np.uint32)]
)
def test_codes_are_as_wide_as_they_must_be(count: int, kind: type) -> None:
    values = np.arange(count, dtype=np.float32)[::-1].copy()
    codes, levels = coded(values)
    assert codes.dtype == kind == code_type(levels.size)
    assert (levels[codes] == values).all()
    few = coded(np.array([-1.0], np.float32))
    wider, others, every = joined(*few, codes, levels)
    assert wider.dtype == others.dtype == code_type(count + 1)
    assert every[others].tolist() == values.tolist()
