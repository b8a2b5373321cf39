"""Exponential forgetting: what happened `half_life` seconds ago counts half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DAY = 86400.0


def decayed(elapsed: NDArray[np.float64] | float, half_life: float) -> NDArray[np.float64]:
    """The factor in (0, 1] left after `elapsed` seconds; 1 for times that lie ahead."""
    return np.exp2(-np.maximum(np.asarray(elapsed, np.float64), 0.0) / half_life)


def check_half_life(name: str, days: float) -> None:
    """Refuse a half-life that forgets nothing or everything; infinity, in days, is allowed."""
    if not days > 0:
        raise ValueError(f"{name}: found {days} days, expected more than 0 (inf never forgets)")
