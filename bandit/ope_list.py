"""Evidence from ranked lists, under three models of how a reader goes through them."""

from __future__ import annotations

from dataclasses import replace

from bandit.base import Floats
from bandit.ope_evidence import Evidence, as_parts, weighed


def of_list(
    rewards: Floats,
    propensities: Floats,
    target: Floats,
    *,
    reading: str,
    predicted: Floats | None = None,
    expected: Floats | None = None,
    unsupported: float = 0.0,
) -> Evidence:
    """Evidence from n lists of K positions, top first; all arrays (n, K).

    `reading` says what the reward of a position depends on, and so what `propensities` and
    `target` are and how they become weights:

    - "position": its own item alone; probabilities of that item at that position, as they are;
    - "cascade": the items down to it; probabilities of each item *given those above*, multiplied
      from the top down to the position;
    - "standard": the whole list; the same conditional probabilities, all multiplied.

    The fewer items a position depends on, the less the weights vary, and the more is assumed.
    `predicted`, `expected`: see `Evidence`; for "standard" the model of each position's reward is
    summed over the list.
    """
    rewards = as_parts("rewards", rewards)
    found = weighed(
        rewards,
        propensities,
        target,
        predicted=predicted,
        expected=expected,
        unsupported=unsupported,
    )
    if reading == "position":
        return replace(found, kind="position")
    if reading == "cascade":
        weights: Floats = found.weights.cumprod(axis=1)
        return replace(found, kind="cascade", weights=weights)
    if reading == "standard":
        return Evidence(
            rewards.sum(axis=1, keepdims=True),
            found.weights.prod(axis=1, keepdims=True),
            found.predicted.sum(axis=1, keepdims=True),
            found.expected.sum(axis=1, keepdims=True),
            "joint",
            unsupported,
        )
    raise ValueError(f"reading: found {reading!r}, expected 'position', 'cascade' or 'standard'")
