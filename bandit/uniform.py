"""Every depth equally likely: the logging policy that supports every other."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from bandit.base import Floats
from bandit.exploration import PlanDistribution
from bandit.policy import LadderPolicy
from bandit.storage import read_state, write_state


class UniformPolicy(LadderPolicy):
    """Each generator's depth drawn uniformly from the ladder, whatever the query."""

    name: ClassVar[str] = "uniform"
    heeds: ClassVar[bool] = False

    def distribution(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        successes: Floats | None = None,
    ) -> PlanDistribution:
        """All plans, each with probability L⁻ˢ."""
        self.check(x, action_features, overlap, price, successes)
        shape = (self._generators, len(self._ladder))
        unknown = np.full(shape, np.nan)
        return PlanDistribution(
            np.zeros((1, self._generators), np.int64),
            np.ones(1),
            1.0,
            np.full(shape, 1.0 / shape[1]),
            unknown,
            unknown,
        )

    def save(self, folder: Path) -> None:
        """Only its ladder and number of generators: it learns nothing."""
        options = {"ladder": self._ladder.tolist(), "generators": self._generators}
        write_state(folder, self.name, options, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        options, _ = read_state(folder, cls.name)
        return cls(np.array(options["ladder"], np.int32), options["generators"])
