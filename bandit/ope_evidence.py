"""What logged rounds say of a target policy, in the one form every estimator reads.

A round's reward is the sum of k parts, each with an importance weight of its own. That covers a
single action or a whole plan (k = 1), a plan whose reward splits by generator (k = s), and a ranked
list under three models of how a reader goes through it (k = positions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bandit.base import Floats

Ids = NDArray[np.int64]
Kind = Literal["joint", "marginal", "position", "cascade"]
"""Whose propensity the weights use: the whole action's (or plan's); each generator's own; each
position's own; that of the list down to each position."""

ROUNDING = 1e-9
"""How far above 1 a sum of probabilities may end up by rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """n rounds of k parts each.

    `rewards` (n, k); `weights` (n, k) ≥ 0: target over logging probability of what was done;
    `predicted` (n, k): a model's reward for what was done; `expected` (n, k): the same model's
    mean reward under the target policy. Both are 0 without a model. For `kind` "cascade" the
    model speaks of the reward *from that position down*. `unsupported` in [0, 1]: the share of
    the target's actions that the log never tried, as far as it can be known. `split` in [0, 1]: for
    `kind` "marginal" the share of the reward that surely belongs to one part alone.
    """

    rewards: Floats
    weights: Floats
    predicted: Floats
    expected: Floats
    kind: Kind
    unsupported: float = 0.0
    split: float = 1.0

    def __post_init__(self) -> None:
        if self.rewards.ndim != 2 or self.rewards.shape[0] == 0:
            raise ValueError(
                f"rewards: found shape {self.rewards.shape}, expected (rounds, parts), not empty"
            )
        for name in ("rewards", "weights", "predicted", "expected"):
            found = getattr(self, name)
            if found.shape != self.rewards.shape:
                raise ValueError(
                    f"{name}: found shape {found.shape}, expected {self.rewards.shape} as rewards"
                )
            if not np.isfinite(found).all():
                raise ValueError(f"{name}: found a number that is not finite, expected none")
        if (self.weights < 0).any():
            raise ValueError(f"weights: found {self.weights.min()}, expected at least 0")
        if not 0.0 <= self.unsupported <= 1.0:
            raise ValueError(f"unsupported: found {self.unsupported}, expected a share in [0, 1]")

    def __len__(self) -> int:
        return int(self.rewards.shape[0])


def weighed(
    rewards: Floats,
    propensities: Floats,
    target: Floats,
    *,
    kind: Kind = "joint",
    predicted: Floats | None = None,
    expected: Floats | None = None,
    unsupported: float = 0.0,
) -> Evidence:
    """Evidence from probabilities, one a part: all (n,) for one part, or (n, k).

    `propensities` in (0, 1]: of what was done, under the logging policy; `target` in [0, 1]: the
    same under the target policy. `predicted` and `expected` go together: see `Evidence`.
    """
    rewards = as_parts("rewards", rewards)
    propensities = as_parts("propensities", propensities)
    target = as_parts("target", target)
    check_propensities("propensities", propensities)
    check_probabilities("target", target)
    if propensities.shape != target.shape:
        raise ValueError(
            f"target: found shape {target.shape}, expected {propensities.shape} as propensities"
        )
    if (predicted is None) != (expected is None):
        raise ValueError("predicted and expected: found one without the other, expected both")
    zeros = np.zeros_like(rewards)
    return Evidence(
        rewards,
        target / propensities,
        zeros if predicted is None else as_parts("predicted", predicted),
        zeros if expected is None else as_parts("expected", expected),
        kind,
        unsupported,
    )


def as_parts(name: str, values: Floats) -> Floats:
    """`values` (n,) or (n, k) as (n, k) of float64."""
    found = np.asarray(values, np.float64)
    if found.ndim not in (1, 2):
        raise ValueError(f"{name}: found shape {found.shape}, expected (n,) or (n, parts)")
    return found[:, None] if found.ndim == 1 else found


def check_propensities(name: str, values: Floats) -> None:
    """Raise ValueError unless all lie in (0, 1]."""
    bad = ~((values > 0.0) & (values <= 1.0 + ROUNDING))
    if bad.any():
        row = np.argwhere(bad)[0].tolist()
        raise ValueError(
            f"{name}: found {values[tuple(row)]} at {row}, expected probabilities in (0, 1]. "
            "Rounds that no policy played (imported history) carry none: leave them out"
        )


def check_probabilities(name: str, values: Floats) -> None:
    """Raise ValueError unless all lie in [0, 1]."""
    bad = ~((values >= 0.0) & (values <= 1.0 + ROUNDING))
    if bad.any():
        row = np.argwhere(bad)[0].tolist()
        raise ValueError(
            f"{name}: found {values[tuple(row)]} at {row}, expected probabilities in [0, 1]"
        )
