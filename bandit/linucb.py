"""LinUCB over the steps of every generator's ladder."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import numpy as np

from bandit.base import Depths, Floats
from bandit.exploration import PlanDistribution, around, checked_background, checked_share
from bandit.linear import LinearOptions, LinearPolicy, checked_number


class LinUCB(LinearPolicy):
    """Disjoint LinUCB (Li et al. 2010, arXiv 1003.0146, algorithm 1), one arm a step of a ladder.

    A step is worth zᵀθ + alpha √(zᵀA⁻¹z); the greedy plan over the sums is played with probability
    1 - epsilon, otherwise each depth stays as planned with probability `keep`, else moves by one rung or
    is drawn on its own from `background` ((s, L) or (L,); None: shallow rungs first; see
    `exploration.around`). With epsilon 0 every propensity is 1 and no counterfactual estimate is possible.
    """

    name: ClassVar[str] = "linucb"

    def __init__(
        self,
        ladder: Depths,
        generators: int,
        *,
        alpha: float = 0.1,
        epsilon: float = 0.05,
        keep: float = 0.7,
        background: Floats | None = None,
        **options: Unpack[LinearOptions],
    ) -> None:
        super().__init__(ladder, generators, **options)
        self._alpha = checked_number("alpha", alpha)
        self._epsilon = checked_share("epsilon", epsilon)
        self._keep = checked_share("keep", keep)
        self._background = checked_background(background, self._ladder, generators)

    def distribution(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        successes: Floats | None = None,
    ) -> PlanDistribution:
        """The greedy plan on optimistic gains, mixed with the background."""
        self.check(x, action_features, overlap, price, successes)
        model = self.model(x.size, action_features.shape[2])
        Z = self.design(x, action_features)
        gains = self.cumulative(model.means(Z))
        bonuses = self.cumulative(self._alpha * model.widths(Z))
        plan = self.greedy(gains + bonuses, overlap, price, successes)
        background = around(plan, self._background, self._keep)
        return PlanDistribution(plan[None], np.ones(1), self._epsilon, background, gains, bonuses)

    def _options(self) -> dict[str, Any]:
        return {
            **super()._options(),
            "alpha": self._alpha,
            "epsilon": self._epsilon,
            "keep": self._keep,
            "background": self._background.tolist(),
        }
