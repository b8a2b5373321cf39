"""Click models: from what was shown and what is wanted to what is clicked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PositionBased:
    """Position-based model (Craswell et al., WSDM 2008): a position is examined or not whatever
    stands there, and an examined item is clicked as attractive as it is.

    Examination of position p (from 1) is p ** -`severity`.
    """

    severity: float = 1.0

    def examination(self, positions: int) -> Floats:
        """Shape (positions,): the probability that each is looked at."""
        return np.arange(1, positions + 1, dtype=np.float64) ** -self.severity

    def clicks(self, attraction: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Shape (n,): which items are clicked; `attraction` (n,) in [0, 1], best position first."""
        looked_at = rng.random(attraction.size) < self.examination(attraction.size)
        clicked: NDArray[np.bool_] = looked_at & (rng.random(attraction.size) < attraction)
        return clicked
