"""Numbers with few distinct values, kept as codes: places in an array of these values, the levels."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.unsignedinteger[Any]]
Levels: TypeAlias = NDArray[np.float32]

_FEW = 256


def code_type(levels: int) -> type[np.unsignedinteger[Any]]:
    """The smallest type of the codes of so many levels."""
    return np.uint8 if levels <= _FEW else np.uint16 if levels <= 1 << 16 else np.uint32


def coded(values: Levels) -> tuple[Codes, Levels]:
    """Codes of the shape of `values`, and levels, such that levels[codes] are the values."""
    codes, levels = np.empty(values.size, np.uint8), np.empty(_FEW, np.float32)
    size = _code(values, codes, levels)
    if size >= 0:
        return codes, levels[:size].copy()
    levels, places = np.unique(values, return_inverse=True)
    return places.astype(code_type(levels.size)), levels


@njit(nogil=True, cache=True)
def _code(values: Levels, codes: NDArray[np.uint8], levels: Levels) -> int:
    """Fill codes, and levels as they are met; how many there are, -1 where they don't fit."""
    size = 0
    for i in range(values.size):
        code = 0
        while code < size and levels[code] != values[i]:
            code += 1
        if code == size:
            if size == levels.size:
                return -1
            levels[size] = values[i]
            size += 1
        codes[i] = code
    return size


def joined(
    codes: Codes, levels: Levels, later: Codes, others: Levels
) -> tuple[Codes, Codes, Levels]:
    """The codes of both, each as it would be, of levels that both have in common."""
    fresh = others[~np.isin(others, levels)]
    every = np.concatenate([levels, fresh])
    order = np.argsort(every)
    places = order[np.searchsorted(every, others, sorter=order)] if others.size else order[:0]
    kind = code_type(every.size)
    return codes.astype(kind, copy=False), places.astype(kind)[later], every
