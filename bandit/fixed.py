"""One plan for every search: the line to beat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np

from bandit.base import Depths, Floats
from bandit.exploration import PlanDistribution
from bandit.policy import LadderPolicy
from bandit.storage import read_state, write_state

USUAL_DEPTH: Final = 20


class FixedPlan(LadderPolicy):
    """Always `depths` (s,), rungs of the ladder; by default the rung nearest 20 for every generator."""

    name: ClassVar[str] = "fixed"
    heeds: ClassVar[bool] = False

    def __init__(
        self, ladder: Depths, generators: int, *, depths: Sequence[int] | Depths | None = None
    ) -> None:
        super().__init__(ladder, generators)
        if depths is None:
            nearest = self._ladder[np.abs(self._ladder - USUAL_DEPTH).argmin()]
            depths = np.full(generators, nearest, np.int32)
        found = np.asarray(depths)
        if found.shape != (generators,):
            raise ValueError(f"depths: found shape {found.shape}, expected ({generators},)")
        self._plan = self.rungs(found)

    @property
    def depths(self) -> Depths:
        """The plan (s,)."""
        return self._ladder[self._plan]

    def distribution(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        successes: Floats | None = None,
    ) -> PlanDistribution:
        """The one plan, with probability 1."""
        self.check(x, action_features, overlap, price, successes)
        shape = (self._generators, len(self._ladder))
        unknown = np.full(shape, np.nan)
        return PlanDistribution(
            self._plan[None],
            np.ones(1),
            0.0,
            np.full(shape, 1.0 / shape[1]),
            unknown,
            unknown,
        )

    def save(self, folder: Path) -> None:
        """Its ladder and its plan."""
        options = {
            "ladder": self._ladder.tolist(),
            "generators": self._generators,
            "depths": self.depths.tolist(),
        }
        write_state(folder, self.name, options, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        options, _ = read_state(folder, cls.name)
        ladder = np.array(options["ladder"], np.int32)
        return cls(ladder, options["generators"], depths=options["depths"])
