"""How often each position of the page is looked at: the position bias in clicks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats

FLOOR = 0.05
"""Least examination used: no click counts more than 20 times (Strehl et al., NIPS 2010: clipping)."""


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """Relative probability that a position is looked at, in the position-based click model.

    `curve` (positions,), curve[0] == 1, entries > 0: examination of each position as a share of the
    first one's. `errors` (positions,): standard error of log(curve), the first 0, infinite where
    nothing is known; None where the curve was given rather than estimated. `floor` in (0, 1]: least
    value that `of` returns.
    """

    curve: Floats
    errors: Floats | None = None
    floor: float = FLOOR

    def __post_init__(self) -> None:
        curve = np.asarray(self.curve, np.float64)
        if curve.ndim != 1 or curve.size == 0 or curve[0] != 1.0:
            raise ValueError(
                f"curve: found {self.curve!r}, expected one value a position, the first of them 1; "
                "divide a click curve by its first value"
            )
        if not (np.isfinite(curve).all() and (curve > 0).all()):
            raise ValueError(f"curve: found {curve.tolist()}, expected finite values above 0")
        if not 0 < self.floor <= 1:
            raise ValueError(f"floor: found {self.floor}, expected a number in (0, 1]")
        if self.errors is not None and self.errors.shape != curve.shape:
            raise ValueError(f"errors: found shape {self.errors.shape}, expected {curve.shape}")
        object.__setattr__(self, "curve", curve)

    @classmethod
    def even(cls) -> Self:
        """Every position is looked at: no correction."""
        return cls(np.ones(1))

    @classmethod
    def prior(cls, positions: int = 10, eta: float = 1.0) -> Self:
        """(1 / position) ** eta, the usual assumption before there are clicks (Joachims 2017)."""
        return cls(np.arange(1, positions + 1, dtype=np.float64) ** -eta)

    def of(self, positions: NDArray[np.int32]) -> Floats:
        """Shape (n,), ≥ `floor`; 1 for position 0 (not shown). Below the curve its last value holds."""
        index = np.clip(positions - 1, 0, self.curve.size - 1)
        return np.where(positions > 0, np.maximum(self.curve[index], self.floor), 1.0)

    def interval(self, z: float = 1.96) -> tuple[Floats, Floats]:
        """Lower and upper ends (positions,) of the curve, log-normal; the curve itself if given."""
        spread = np.exp(z * self.errors) if self.errors is not None else np.ones(self.curve.size)
        return self.curve / spread, self.curve * spread


def known(errors: Floats, clicks: Floats) -> Floats:
    """`errors` of log(curve), infinite where a position, or the first one, had no click to tell.

    Nowhere else below 1 / sqrt(clicks), the error of a count.
    """
    if clicks[0] == 0:
        least = np.full(errors.shape, np.inf)
    else:
        least = np.divide(1.0, np.sqrt(clicks), out=np.full(errors.shape, np.inf), where=clicks > 0)
    out = np.maximum(errors, least)
    out[0] = 0.0
    return np.asarray(out, np.float64)


def smoothed(found: Examination) -> Examination:
    """A curve with errors, drawn to the nearest power of the rank as far as its errors explain.

    Empirical Bayes: log(curve) is -eta · log(rank) plus deviations whose variance, beyond that of the
    errors, is estimated from all positions at once (DerSimonian and Laird, 1986); where there is none,
    every position tells of every other. Errors shrink alike, but not that of eta. A curve without
    errors, or with none below infinity, stays as it is.
    """
    if found.errors is None:
        return found
    told = np.flatnonzero(np.isfinite(found.errors[1:]) & (found.errors[1:] > 0)) + 1
    if told.size < 2:
        return found
    x, y = np.log(told + 1.0), np.log(found.curve[told])
    precision = found.errors[told] ** -2.0
    information = float(precision @ x**2)
    line = x * float((precision * x) @ y) / information
    spare = float(precision.sum() - (precision**2 @ x**2) / information)
    beyond = max(float(precision @ (y - line) ** 2) - (told.size - 1), 0.0) / spare
    kept = beyond / (beyond + 1.0 / precision)
    curve, errors = found.curve.copy(), found.errors.copy()
    curve[told] = np.exp(line + kept * (y - line))
    errors[told] = np.sqrt(kept / precision + (1.0 - kept) ** 2 * x**2 / information)
    return Examination(curve, errors, found.floor)
