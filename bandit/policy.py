"""What all policies over a ladder of depths share: their shape, their checks, the draw."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from bandit.base import Choice, Depths, Floats, RetrievalPolicy, Rounds
from bandit.exploration import PlanDistribution
from bandit.plans import Rungs


class LadderPolicy(RetrievalPolicy):
    """A policy that says its whole distribution, from which `choose` draws.

    `ladder` (L,): depths to choose from, ascending from 0; `generators`: s ≥ 1.
    """

    def __init__(self, ladder: Depths, generators: int) -> None:
        self._ladder = _checked_ladder(ladder)
        if generators < 1:
            raise ValueError(f"generators: found {generators}, expected at least 1")
        self._generators = int(generators)

    @property
    def ladder(self) -> Depths:
        """Shape (L,), read-only."""
        return self._ladder

    @property
    def generators(self) -> int:
        """Number of generators, s."""
        return self._generators

    @abstractmethod
    def distribution(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        successes: Floats | None = None,
    ) -> PlanDistribution:
        """Every plan `choose` may play for these arguments, with its probability.

        A counterfactual estimate reads from it how probable a *logged* plan is under this policy.
        """

    def choose(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        rng: np.random.Generator,
        successes: Floats | None = None,
    ) -> Choice:
        """The plan for one search, drawn from `distribution`."""
        chances = self.distribution(x, action_features, overlap, price, successes)
        rungs = chances.draw(rng)
        own = (np.arange(self._generators), rungs)
        return Choice(
            depths=self._ladder[rungs],
            propensity=chances.probability(rungs),
            marginals=chances.marginals()[own],
            gains=chances.gains[own],
            bonuses=chances.bonuses[own],
        )

    def update(self, rounds: Rounds) -> None:
        """Check the rounds; a policy that learns goes on from here."""
        shape = (self._generators, len(self._ladder))
        if rounds.rewards.shape[1:] != shape:
            raise ValueError(
                f"rounds.rewards: found {rounds.rewards.shape[1:]} (generators, rungs), expected "
                f"{shape}. The rounds were probably logged with other generators or another ladder"
            )
        for name in ("contexts", "actions", "rewards"):
            _check_finite(f"rounds.{name}", getattr(rounds, name))
        if (rounds.depths < 0).any():
            raise ValueError(f"rounds.depths: found {rounds.depths.min()}, expected at least 0")

    def rungs(self, depths: Depths) -> Rungs:
        """Rung indices of `depths` (…, s); ValueError where a depth is not on the ladder."""
        found = np.searchsorted(self._ladder, depths).clip(max=len(self._ladder) - 1)
        off = self._ladder[found] != depths
        if off.any():
            raise ValueError(
                f"depths: found {np.asarray(depths)[off].flat[0]}, expected rungs of the ladder "
                f"{self._ladder.tolist()}"
            )
        return found.astype(np.int64)

    def check(
        self,
        x: Floats,
        action_features: Floats,
        overlap: Floats,
        price: float,
        successes: Floats | None = None,
    ) -> None:
        """Raise ValueError unless the arguments of `choose` fit this policy."""
        s, levels = self._generators, len(self._ladder)
        if x.ndim != 1:
            raise ValueError(f"x: found shape {x.shape}, expected one row (d,)")
        if action_features.ndim != 3 or action_features.shape[:2] != (s, levels):
            raise ValueError(
                f"action_features: found shape {action_features.shape}, expected "
                f"({s}, {levels}, a): generators, rungs, features"
            )
        if overlap.shape != (s, levels, s, levels):
            raise ValueError(
                f"overlap: found shape {overlap.shape}, expected {(s, levels, s, levels)}"
            )
        if successes is not None and successes.shape != overlap.shape:
            raise ValueError(f"successes: found shape {successes.shape}, expected {overlap.shape}")
        if not price >= 0.0:
            raise ValueError(f"price: found {price}, expected a reward per candidate, at least 0")
        _check_finite("x", x)
        _check_finite("action_features", action_features)
        _check_finite("overlap", overlap)
        if successes is not None:
            _check_finite("successes", successes)


def _checked_ladder(ladder: Depths) -> Depths:
    found = np.array(ladder)
    if found.ndim != 1 or found.size < 2 or found.dtype.kind not in "iu":
        raise ValueError(
            f"ladder: found {found.dtype} of shape {found.shape}, expected at least two whole "
            "depths such as [0, 10, 50]"
        )
    if found[0] != 0:
        raise ValueError(f"ladder: found first depth {found[0]}, expected 0 (not asked)")
    if (np.diff(found.astype(np.int64)) <= 0).any():
        raise ValueError(f"ladder: found {found.tolist()}, expected strictly ascending depths")
    own = found.astype(np.int32)
    own.setflags(write=False)
    return own


def _check_finite(name: str, values: Floats) -> None:
    if not np.isfinite(values).all():
        bad = np.argwhere(~np.isfinite(values))[0].tolist()
        raise ValueError(
            f"{name}: found {values[tuple(bad)]} at index {bad}, expected finite numbers. "
            "A feature without a value is usually meant to be 0"
        )
