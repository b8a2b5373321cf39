"""Thompson sampling with a countable set of samples, so that every propensity is exact."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import numpy as np

from bandit.base import Depths, Floats
from bandit.exploration import PlanDistribution
from bandit.linear import LinearOptions, LinearPolicy, checked_number
from bandit.ridge import Ridge


class Thompson(LinearPolicy):
    """Plays the greedy plan of one of `samples` draws θ ~ N(θ̂, scale² A⁻¹), each equally likely.

    (Agrawal and Goyal 2013, arXiv 1209.3352, with a fixed set of draws.) The draws are made anew
    from `seed` and the model at each update, and stay the same between two: that makes the share
    of a plan among the samples its exact probability, and the same state chooses the same way.
    """

    name: ClassVar[str] = "thompson"

    def __init__(
        self,
        ladder: Depths,
        generators: int,
        *,
        scale: float = 0.1,
        samples: int = 16,
        seed: int = 0,
        **options: Unpack[LinearOptions],
    ) -> None:
        super().__init__(ladder, generators, **options)
        self._scale = checked_number("scale", scale)
        if samples < 1 or seed < 0:
            raise ValueError(
                f"samples, seed: found {samples} and {seed}, expected at least 1 and at least 0"
            )
        self._samples, self._seed = int(samples), int(seed)
        self._drawn: tuple[Ridge, Floats] | None = None

    def distribution(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        successes: Floats | None = None,
    ) -> PlanDistribution:
        """The greedy plans of all samples. `bonuses`: mean gain of a rung over the samples, less its own."""
        self.check(x, action_features, overlap, price, successes)
        model = self.model(x.size, action_features.shape[2])
        thetas = self._draws(model)
        Z = self.design(x, action_features)
        sampled = self.cumulative(np.einsum("kmp,mp->km", thetas, Z))
        plans = np.stack([self.greedy(gains, overlap, price, successes) for gains in sampled])
        gains = self.cumulative(model.means(Z))
        return PlanDistribution(
            plans,
            np.full(self._samples, 1.0 / self._samples),
            0.0,
            np.full(gains.shape, 1.0 / gains.shape[1]),
            gains,
            sampled.mean(axis=0) - gains,
        )

    def _draws(self, model: Ridge) -> Floats:
        """Shape (samples, m, p); kept, in one assignment, for as long as the model stays."""
        drawn = self._drawn
        if drawn is not None and drawn[0] is model:
            return drawn[1]
        rng = np.random.default_rng(self._seed)
        normal = rng.standard_normal((self._samples, *model.b.shape))
        # A = L Lᵀ, so L⁻ᵀ ε has covariance A⁻¹.
        upper = np.linalg.cholesky(model.A).transpose(0, 2, 1)
        spread = np.linalg.solve(upper, normal.transpose(1, 2, 0)).transpose(2, 0, 1)
        thetas: Floats = model.theta + self._scale * spread
        self._drawn = (model, thetas)
        return thetas

    def _options(self) -> dict[str, Any]:
        return {
            **super()._options(),
            "scale": self._scale,
            "samples": self._samples,
            "seed": self._seed,
        }
