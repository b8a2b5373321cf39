"""A new ranker that leans on the one it is to replace: what clicks don't tell stays as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rankers.base import Features

Scores = NDArray[np.float32]
WEIGHTS = (0.3, 0.7, 1.5)
"""Of the old ranker beside the new one's 1, tried on held-out clicks of one log. Never 0: on MQ2008's
S1 to S3 leaning a little was better from 7,000 sessions to 130,000, and safer."""


class Scorer(Protocol):
    """Whatever scores rows on their own."""

    def score(self, features: Features) -> Scores:
        """Shape (n,)."""


@dataclass(frozen=True, slots=True)
class Leaning:
    """Scores new / new_spread + weight · old / old_spread; see `spread`."""

    new: Scorer
    old: Scorer
    weight: float
    new_spread: float
    old_spread: float

    def score(self, features: Features) -> Scores:
        """Shape (n,); a row's score does not depend on the rows beside it."""
        made = self.new.score(features) / self.new_spread
        if self.weight:
            made = made + self.weight * self.old.score(features) / self.old_spread
        return np.asarray(made, np.float32)


def spread(scores: Scores, queries: NDArray[np.int64]) -> float:
    """How far scores (n,) lie apart within a query, as a standard deviation over all queries (n,);
    1 where they don't."""
    _, of = np.unique(queries, return_inverse=True)
    means = np.bincount(of, scores) / np.bincount(of)
    return float(np.std(scores - means[of])) or 1.0
