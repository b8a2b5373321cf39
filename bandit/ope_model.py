"""A reward model for the direct method and doubly robust estimators."""

from __future__ import annotations

import numpy as np

from bandit.base import Floats
from bandit.ope_feedback import Feedback


def crossfitted_rewards(feedback: Feedback, *, folds: int = 3, penalty: float = 10.0) -> Floats:
    """Expected reward of every action in every round (n, A), by ridge regression on the context.

    Each round is predicted by a model of the other folds (Chernozhukov et al. 2018), so that no
    round's reward speaks for itself; round t is in fold t mod `folds`. One model an action, drawn
    by `penalty` pseudo-rounds to the mean of all, so that an action hardly tried is taken as
    average; positions enter as columns.
    """
    n = len(feedback)
    if not 2 <= folds <= n:
        raise ValueError(f"folds: found {folds}, expected 2 to {n}, the number of rounds")
    if not penalty > 0.0:
        raise ValueError(f"penalty: found {penalty}, expected a number above 0")
    slots = np.arange(int(feedback.positions.max()) + 1)
    columns = [np.ones((n, 1)), feedback.contexts]
    if slots.size > 1:
        columns.append((feedback.positions[:, None] == slots).astype(np.float64))
    Z = np.hstack(columns)
    fold = np.arange(n) % folds
    estimates = np.empty((n, feedback.n_actions))
    for held_out in range(folds):
        train, test = fold != held_out, fold == held_out
        mean = feedback.rewards[train].mean()
        for action in range(feedback.n_actions):
            rows = train & (feedback.actions == action)
            squares = Z[rows].T @ Z[rows] + penalty * np.eye(Z.shape[1])
            products = Z[rows].T @ (feedback.rewards[rows] - mean)
            estimates[test, action] = mean + Z[test] @ np.linalg.solve(squares, products)
    return estimates
