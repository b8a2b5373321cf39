"""The linear model of rungs that LinUCB, epsilon-greedy and Thompson sampling share.

One arm is one step of one generator's ladder, from rung l - 1 to l; z = [1, x, a], with `a` the
action features of rung l, x and a each times a scale. Its target is the *increment* of reward over
that step, so that the estimates of a generator's steps add up to the gain of a depth.

**What a round teaches.** Where something was clicked, hindsight tells of every step whether it
would have brought it, drawn or not. Where nothing was, only the drawn steps are known to have
failed: taking what lies beyond the drawn depth as worthless would keep it undrawn for ever. So a
round teaches the steps that were drawn and, with a reward anywhere, all others too, these at a weight
of `undrawn`: what was clicked was easy to find, so it says too little of deep steps and too much of
shallow ones. What was drawn outweighs it, and until then a step stays uncertain and is tried. A round
whose propensity is NaN was played by no policy (imported history): its clicks do not depend on the
depths, so it teaches every step alike.

**Before any data** a step's expected reward is its share of `prior_gain`, spread over the ladder
in proportion to log(1 + depth): concave, so that the first plans ask every generator for a few
and go deeper as the price falls. It weighs as much as `penalty` rounds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from bandit.base import Depths, Flags, Floats, Rounds
from bandit.exploration import checked_share
from bandit.plans import Rungs, greedy
from bandit.policy import LadderPolicy
from bandit.ridge import Ridge
from bandit.storage import read_state, write_state


class LinearOptions(TypedDict, total=False):
    """What every `LinearPolicy` can be given, as explained there."""

    penalty: float
    prior_gain: float
    half_life: float
    undrawn: float
    context_scale: float
    action_scale: float


class LinearPolicy(LadderPolicy):
    """A ladder policy with one `Ridge` over all steps.

    `penalty` > 0: λ of the regression; `prior_gain` ≥ 0: reward expected of a generator's deepest
    rung before any data; `half_life`: rounds after which one counts half, since generators learn and
    are soon worth more or less than they were; `undrawn` in [0, 1]: what a step counts that only
    hindsight tells of, where one that was drawn counts 1; `context_scale`, `action_scale` > 0: x and a enter times
    these, so that of two kinds of features with one penalty the larger scale is believed sooner.
    """

    def __init__(
        self,
        ladder: Depths,
        generators: int,
        *,
        penalty: float = 10.0,
        prior_gain: float = 1.0,
        half_life: float = 20_000.0,
        undrawn: float = 0.1,
        context_scale: float = 1.0,
        action_scale: float = 1.0,
    ) -> None:
        super().__init__(ladder, generators)
        self._context_scale = checked_number("context_scale", context_scale, above_zero=True)
        self._action_scale = checked_number("action_scale", action_scale, above_zero=True)
        self._half_life = checked_number("half_life", half_life, above_zero=True)
        self._undrawn = checked_share("undrawn", undrawn)
        self._penalty = checked_number("penalty", penalty, above_zero=True)
        self._prior_gain = checked_number("prior_gain", prior_gain)
        self._model: Ridge | None = None
        self._widths: tuple[int, int] | None = None
        self._cold: tuple[int, Ridge] | None = None

    def update(self, rounds: Rounds) -> None:
        """Learn the increments of reward; rounds marked late only add their rewards."""
        super().update(rounds)
        if len(rounds) == 0:
            return
        widths = (rounds.contexts.shape[1], rounds.actions.shape[3])
        model = self.model(*widths)
        increments = np.diff(rounds.rewards, axis=2)
        taught, drawn = self._taught(rounds), self._played(rounds)
        squares, products = np.empty_like(model.A), np.empty_like(model.b)
        steps = len(self._ladder) - 1
        for arm in range(len(model.b)):
            i, step = divmod(arm, steps)
            rows = np.flatnonzero(taught[:, i, step])
            x = rounds.contexts[rows] * self._context_scale
            a = rounds.actions[rows, i, step + 1] * self._action_scale
            z = np.column_stack([np.ones(rows.size), x, a])
            weighted = z * np.where(drawn[rows, i, step], 1.0, self._undrawn)[:, None]
            fresh = ~rounds.late[rows]
            squares[arm] = weighted[fresh].T @ z[fresh]
            products[arm] = weighted.T @ increments[rows, i, step]
        kept = 0.5 ** (np.count_nonzero(~rounds.late) / self._half_life)
        self._model = model.after(squares, products, self._prior(model.A.shape[1]), kept)
        self._widths = widths

    def model(self, context_features: int, action_features: int) -> Ridge:
        """What is known for d and a features; ValueError where other widths were learnt."""
        if self._model is None or self._widths is None:
            return self._prior(1 + context_features + action_features)
        if (context_features, action_features) != self._widths:
            raise ValueError(
                f"{self.name}: trained with {self._widths[0]} context and {self._widths[1]} action "
                f"features, found {context_features} and {action_features}. This typically occurs "
                "because the features were changed after training"
            )
        return self._model

    def _prior(self, columns: int) -> Ridge:
        cold = self._cold
        if cold is None or cold[0] != columns:
            spread = np.diff(np.log1p(self._ladder)) / np.log1p(self._ladder[-1])
            means = np.tile(self._prior_gain * spread, self._generators)
            # Kept, in one assignment, so that searches before the first learning need not build
            # it each time; it follows from the options alone.
            cold = self._cold = (columns, Ridge.prior(self._penalty, means, columns))
        return cold[1]

    def design(self, x: Floats, action_features: Floats) -> Floats:
        """z of every arm (m, p), from x (d,) and action_features (s, L, a)."""
        steps = action_features[:, 1:]
        arms, d = steps.shape[0] * steps.shape[1], x.size
        Z = np.empty((arms, 1 + d + steps.shape[2]))
        Z[:, 0] = 1.0
        Z[:, 1 : 1 + d] = x * self._context_scale
        Z[:, 1 + d :] = steps.reshape(arms, -1) * self._action_scale
        return Z

    def greedy(
        self, gains: Floats, overlap: Floats, price: float, successes: Floats | None
    ) -> Rungs:
        """The greedy plan (s,) on gains (s, L), see `plans.greedy`."""
        return greedy(gains, overlap, price, self._ladder, successes)

    def cumulative(self, steps: Floats) -> Floats:
        """Values (…, m) of the steps as sums up to each rung (…, s, L), 0 at rung 0."""
        rows = steps.reshape(*steps.shape[:-1], self._generators, -1)
        sums = np.zeros((*rows.shape[:-1], rows.shape[-1] + 1))
        np.cumsum(rows, axis=-1, out=sums[..., 1:])
        return sums

    def save(self, folder: Path) -> None:
        """Options and learnt sums; what follows from them is computed again on loading."""
        arrays: dict[str, NDArray[Any]] = {}
        if self._model is not None:
            arrays = {"A": self._model.A, "b": self._model.b, "widths": np.array(self._widths)}
        write_state(folder, self.name, self._options(), arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        options, arrays = read_state(folder, cls.name)
        policy = cls._of(options)
        if arrays:
            context_features, action_features = arrays["widths"].tolist()
            prior = policy.model(context_features, action_features)
            if arrays["A"].shape != prior.A.shape or arrays["b"].shape != prior.b.shape:
                raise ValueError(
                    f"{folder}/state.npz: found A {arrays['A'].shape} and b {arrays['b'].shape}, "
                    f"expected {prior.A.shape} and {prior.b.shape} from the options of the manifest"
                )
            policy._model = Ridge.of(arrays["A"], arrays["b"])
            policy._widths = (context_features, action_features)
        return policy

    def _options(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-able."""
        return {
            "ladder": self._ladder.tolist(),
            "generators": self._generators,
            "penalty": self._penalty,
            "prior_gain": self._prior_gain,
            "half_life": self._half_life,
            "undrawn": self._undrawn,
            "context_scale": self._context_scale,
            "action_scale": self._action_scale,
        }

    @classmethod
    def _of(cls, options: dict[str, Any]) -> Self:
        return cls(**{**options, "ladder": np.array(options["ladder"], np.int32)})

    def _played(self, rounds: Rounds) -> Flags:
        """Shape (n, s, L - 1): the steps that were drawn, all of a round that no policy played."""
        drawn: Flags = rounds.depths[:, :, None] >= self._ladder[1:]
        return drawn | np.isnan(rounds.propensities[:, None, None])

    def _taught(self, rounds: Rounds) -> Flags:
        """Shape (n, s, L - 1): the steps each round says something about."""
        return self._played(rounds) | rounds.rewards.any(axis=(1, 2), keepdims=True)


def checked_number(name: str, value: float, *, above_zero: bool = False) -> float:
    """`value` if it is finite and ≥ 0 (> 0 with `above_zero`)."""
    if not (np.isfinite(value) and (value > 0 if above_zero else value >= 0)):
        bound = "> 0" if above_zero else "≥ 0"
        raise ValueError(f"{name}: found {value}, expected a finite number {bound}")
    return float(value)
