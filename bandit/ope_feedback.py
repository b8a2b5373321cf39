"""Logged bandit feedback over a fixed set of actions, in the layout of Open Bandit Pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bandit.base import Floats
from bandit.ope_evidence import Evidence, Ids, check_propensities, weighed


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """n rounds, each one action of `n_actions` shown at one position of a page.

    `actions` (n,) in [0, n_actions); `rewards` (n,); `propensities` (n,) in (0, 1]: of the action
    at that position (obp's `pscore`); `positions` (n,) from 0, all 0 where there is one slot;
    `contexts` (n, d), or (n, 0) where there are none.
    """

    n_actions: int
    actions: Ids
    rewards: Floats
    propensities: Floats
    positions: Ids
    contexts: Floats

    def __post_init__(self) -> None:
        n = self.actions.shape[0] if self.actions.ndim == 1 else -1
        if n < 1:
            raise ValueError(f"action: found shape {self.actions.shape}, expected (n,), not empty")
        for name, found in (
            ("reward", self.rewards),
            ("pscore", self.propensities),
            ("position", self.positions),
        ):
            if found.shape != (n,):
                raise ValueError(f"{name}: found shape {found.shape}, expected ({n},) as action")
        if self.contexts.ndim != 2 or self.contexts.shape[0] != n:
            raise ValueError(f"context: found shape {self.contexts.shape}, expected ({n}, d)")
        for name, values in (("reward", self.rewards), ("context", self.contexts)):
            if not np.isfinite(values).all():
                raise ValueError(f"{name}: found a number that is not finite, expected none")
        if self.actions.min() < 0 or self.actions.max() >= self.n_actions:
            raise ValueError(
                f"action: found {self.actions.min()} to {self.actions.max()}, expected 0 to "
                f"{self.n_actions - 1} (n_actions {self.n_actions})"
            )
        if self.positions.min() < 0:
            raise ValueError(f"position: found {self.positions.min()}, expected at least 0")
        check_propensities("pscore", self.propensities)

    def __len__(self) -> int:
        return int(self.actions.shape[0])

    @classmethod
    def from_dict(cls, feedback: Mapping[str, Any]) -> Self:
        """From obp's `bandit_feedback`: action, reward, pscore; position, context, n_actions if given."""
        missing = [key for key in ("action", "reward", "pscore") if feedback.get(key) is None]
        if missing:
            raise ValueError(
                f"feedback: found keys {sorted(feedback)}, expected {missing} too. Without the "
                "probability of each logged action no counterfactual estimate is possible"
            )
        actions = _whole("action", feedback["action"])
        positions, contexts = feedback.get("position"), feedback.get("context")
        count = feedback.get("n_actions")
        return cls(
            n_actions=int(actions.max(initial=-1) + 1 if count is None else count),
            actions=actions,
            rewards=np.asarray(feedback["reward"], np.float64),
            propensities=np.asarray(feedback["pscore"], np.float64),
            positions=np.zeros(actions.shape, np.int64)
            if positions is None
            else _whole("position", positions),
            contexts=np.zeros((actions.shape[0], 0))
            if contexts is None
            else np.asarray(contexts, np.float64),
        )

    def to_dict(self) -> dict[str, Any]:
        """obp's layout; `from_dict` reads it back."""
        return {
            "n_rounds": len(self),
            "n_actions": self.n_actions,
            "action": self.actions,
            "position": self.positions,
            "reward": self.rewards,
            "pscore": self.propensities,
            "context": self.contexts,
        }


def of_actions(
    feedback: Feedback, action_dist: Floats, estimates: Floats | None = None
) -> Evidence:
    """Evidence about a target that plays `action_dist` (n, A), or (n, A, positions) as in obp.

    `estimates` (n, A): a model's reward of every action in every round (`crossfitted_rewards`).
    Unsupported is the target's mass, round by round, on actions never logged at that position.
    """
    chances = _at_positions(feedback, action_dist)
    rows = np.arange(len(feedback))
    slots = int(feedback.positions.max()) + 1
    tried = np.zeros((slots, feedback.n_actions), np.bool_)
    tried[feedback.positions, feedback.actions] = True
    unsupported = float(np.where(tried[feedback.positions], 0.0, chances).sum(axis=1).mean())
    predicted = expected = None
    if estimates is not None:
        if estimates.shape != chances.shape:
            raise ValueError(
                f"estimates: found shape {estimates.shape}, expected {chances.shape} "
                "(rounds, actions)"
            )
        predicted = estimates[rows, feedback.actions]
        expected = (chances * estimates).sum(axis=1)
    return weighed(
        feedback.rewards,
        feedback.propensities,
        chances[rows, feedback.actions],
        predicted=predicted,
        expected=expected,
        unsupported=min(unsupported, 1.0),
    )


def _at_positions(feedback: Feedback, action_dist: Floats) -> Floats:
    shape = (len(feedback), feedback.n_actions)
    found = np.asarray(action_dist, np.float64)
    slots = int(feedback.positions.max()) + 1
    if found.ndim not in (2, 3) or found.shape[:2] != shape:
        raise ValueError(f"action_dist: found shape {found.shape}, expected {shape}")
    if found.ndim == 3 and found.shape[2] < slots:
        raise ValueError(
            f"action_dist: found {found.shape[2]} positions, expected at least {slots} as logged"
        )
    chances = found if found.ndim == 2 else found[np.arange(shape[0]), :, feedback.positions]
    if not (chances >= 0).all() or not np.allclose(chances.sum(axis=1), 1.0, atol=1e-6):
        raise ValueError("action_dist: found rows that are no distribution, expected sums of 1")
    return chances


def _whole(name: str, values: Any) -> Ids:
    found = np.asarray(values)
    if found.dtype.kind not in "iu":
        raise ValueError(f"{name}: found {found.dtype}, expected whole numbers")
    return found.astype(np.int64)
