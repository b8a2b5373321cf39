"""Greedy on the estimates alone; exploration is left to chance."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import numpy as np

from bandit.base import Depths, Floats
from bandit.exploration import PlanDistribution, checked_background, checked_share
from bandit.linear import LinearOptions, LinearPolicy


class EpsilonGreedy(LinearPolicy):
    """The greedy plan on expected gains with probability 1 - epsilon, else each depth from `background`."""

    name: ClassVar[str] = "epsilon_greedy"

    def __init__(
        self,
        ladder: Depths,
        generators: int,
        *,
        epsilon: float = 0.1,
        background: Floats | None = None,
        **options: Unpack[LinearOptions],
    ) -> None:
        super().__init__(ladder, generators, **options)
        self._epsilon = checked_share("epsilon", epsilon)
        self._background = checked_background(background, self._ladder, generators)

    def distribution(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        successes: Floats | None = None,
    ) -> PlanDistribution:
        """The greedy plan on expected gains, mixed with the background."""
        self.check(x, action_features, overlap, price, successes)
        model = self.model(x.size, action_features.shape[2])
        gains = self.cumulative(model.means(self.design(x, action_features)))
        plan = self.greedy(gains, overlap, price, successes)
        return PlanDistribution(
            plan[None], np.ones(1), self._epsilon, self._background, gains, np.zeros_like(gains)
        )

    def _options(self) -> dict[str, Any]:
        return {
            **super()._options(),
            "epsilon": self._epsilon,
            "background": self._background.tolist(),
        }
