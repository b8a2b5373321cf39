"""What a retrieval policy sees, chooses and learns from: arrays only.

Symbols: s generators; L rungs of the depth ladder, the first of depth 0; d context features;
a action features; n rounds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Depths = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One plan and how probable it was.

    `depths` (s,): candidates asked of each generator, 0 = not asked. `propensity` in (0, 1]: the
    probability of the whole plan under the policy. `marginals` (s,): of each depth on its own.
    `gains`, `bonuses` (s,): the estimated reward of the chosen depth and the optimism in it, for
    explanations; NaN where the policy estimates nothing.
    """

    depths: Depths
    propensity: float
    marginals: Floats
    gains: Floats
    bonuses: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """Logged plans with what each rung would have brought.

    `contexts` (n, d); `actions` (n, s, L, a); `depths` (n, s); `propensities` (n,); `marginals`
    (n, s). `rewards` (n, s, L): for each generator and rung, the weight of the clicked items it
    brings (rank below the rung's depth), whoever else brings them; rung 0 is 0. `propensities` are
    NaN where no policy played the round (imported history). `late` (n,): the round itself was learnt before and only its rewards are new.
    """

    contexts: Floats
    actions: Floats
    depths: Depths
    propensities: Floats
    marginals: Floats
    rewards: Floats
    late: Flags

    def __post_init__(self) -> None:
        n, s, rungs, _ = self.actions.shape
        expected: dict[str, tuple[int, ...]] = {
            "contexts": (n, self.contexts.shape[-1]),
            "depths": (n, s),
            "propensities": (n,),
            "marginals": (n, s),
            "rewards": (n, s, rungs),
            "late": (n,),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(
                    f"Rounds.{name}: found shape {found}, expected {shape} "
                    f"(from actions {self.actions.shape})"
                )

    def __len__(self) -> int:
        return int(self.contexts.shape[0])


class RetrievalPolicy(ABC):
    """Decides how deep to ask each generator, before any has run.

    Like generators, a policy replaces its state rather than changing it: a `copy.copy` taken
    before `update` goes on choosing as before.
    """

    name: ClassVar[str]
    heeds: ClassVar[bool] = True
    """Whether plans depend on what is told of a search; where not, nothing need be foreseen for them."""

    @abstractmethod
    def choose(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        rng: np.random.Generator,
        successes: Floats | None = None,
    ) -> Choice:
        """The plan for one search.

        `x` (d,); `action_features` (s, L, a); `overlap` (s, L, s, L): documents expected to be
        shared by generator i at rung l and j at rung m, so overlap[i, l, i, l] is how many
        generator i returns at rung l; `price`: the reward that one more candidate must be worth;
        `successes` (s, L, s, L): reward expected to be brought by both of two rungs, its diagonal a
        rung's own, by which gains are discounted for what is drawn already; None: gains add up.
        """

    @abstractmethod
    def update(self, rounds: Rounds) -> None:
        """Learn from logged rounds; an empty batch changes nothing."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the state into an existing empty folder. No pickle."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the loaded policy chooses to the byte as the saved one."""
