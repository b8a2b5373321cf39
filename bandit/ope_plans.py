"""Evidence from logged retrieval plans, by the whole plan or generator by generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bandit.base import Floats
from bandit.exploration import PlanDistribution
from bandit.ope_evidence import Evidence, weighed
from bandit.plans import Rungs


def of_plans(
    rungs: Rungs,
    rewards: Floats,
    propensities: Floats,
    targets: Sequence[PlanDistribution],
    *,
    estimates: Floats | None = None,
    split: float = 1.0,
) -> Evidence:
    """Evidence about the policy that plays `targets`, one distribution a round.

    `rungs` (n, s): the plans logged, as indices of the ladder. With `rewards` (n,) and joint
    `propensities` (n,) a plan counts where it is played as a whole, which a log of many depths
    seldom supports. With `rewards` (n, s), a generator's own share of the reward, and marginal
    `propensities` (n, s), each generator is weighed by its own depth alone: that assumes that
    its share does not depend on the other depths, and needs far less of the log.

    `split`: the share of the reward that one generator alone brought; of the rest it is a rule that
    says which generator's it is, and that rule depends on the other depths.

    `estimates` (n, s, L): a model's reward of each rung, adding up over generators.
    """
    n, s = _checked(rungs, rewards, propensities, targets)
    by_generator = rewards.ndim == 2
    rows, columns = np.arange(n)[:, None], np.arange(s)
    marginals = np.stack([one.marginals() for one in targets])
    predicted = expected = None
    if estimates is not None:
        if estimates.shape != marginals.shape:
            raise ValueError(
                f"estimates: found shape {estimates.shape}, expected {marginals.shape} "
                "(rounds, generators, rungs)"
            )
        predicted = estimates[rows, columns, rungs]
        expected = (marginals * estimates).sum(axis=2)
        if not by_generator:
            predicted, expected = predicted.sum(axis=1), expected.sum(axis=1)
    untried = _untried_rungs(rungs, marginals)
    if by_generator:
        found = weighed(
            rewards,
            propensities,
            marginals[rows, columns, rungs],
            kind="marginal",
            predicted=predicted,
            expected=expected,
            unsupported=float(untried.mean(axis=0).max()),
        )
        return replace(found, split=split)
    joint = np.array([one.probability(plan) for one, plan in zip(targets, rungs, strict=True)])
    return weighed(
        rewards,
        propensities,
        joint,
        predicted=predicted,
        expected=expected,
        unsupported=_untried_plans(rungs, targets),
    )


def _untried_rungs(rungs: Rungs, marginals: Floats) -> Floats:
    """Shape (n, s): the target's mass on rungs of a generator that were never logged."""
    _, s, levels = marginals.shape
    tried = np.zeros((s, levels), np.bool_)
    tried[np.arange(s), rungs] = True
    untried: Floats = np.where(tried, 0.0, marginals).sum(axis=2).clip(0.0, 1.0)
    return untried


def _untried_plans(rungs: Rungs, targets: Sequence[PlanDistribution]) -> float:
    """The target's mass on plans never logged: its whole plans, and rungs nobody drew.

    The background's untried *combinations* of tried rungs are not counted: there are more of them
    than any log holds, and together they weigh epsilon.
    """
    known = {plan.tobytes() for plan in np.ascontiguousarray(rungs, np.int64)}
    untried = np.zeros(len(targets))
    background = _untried_rungs(rungs, np.stack([one.background for one in targets]))
    for t, one in enumerate(targets):
        plans = np.ascontiguousarray(one.plans, np.int64)
        missing = np.array([plan.tobytes() not in known for plan in plans])
        untried[t] = (1.0 - one.epsilon) * float(one.weights[missing].sum())
        untried[t] += one.epsilon * (1.0 - float((1.0 - background[t]).prod()))
    return float(untried.mean().clip(0.0, 1.0))


def _checked(
    rungs: Rungs, rewards: Floats, propensities: Floats, targets: Sequence[PlanDistribution]
) -> tuple[int, int]:
    if rungs.ndim != 2 or rungs.shape[0] == 0 or rungs.dtype.kind not in "iu":
        raise ValueError(
            f"rungs: found {rungs.dtype} of shape {rungs.shape}, expected indices (rounds, "
            "generators), not empty"
        )
    n, s = rungs.shape
    if len(targets) != n:
        raise ValueError(f"targets: found {len(targets)} distributions, expected {n}, one a round")
    levels = targets[0].background.shape
    if any(one.background.shape != levels for one in targets) or levels[0] != s:
        raise ValueError(f"targets: found distributions over {levels}, expected {s} generators")
    if rungs.min() < 0 or rungs.max() >= levels[1]:
        raise ValueError(
            f"rungs: found {rungs.min()} to {rungs.max()}, expected 0 to {levels[1] - 1}. "
            "These are indices of the ladder, not depths"
        )
    if rewards.shape not in ((n,), (n, s)) or propensities.shape != rewards.shape:
        raise ValueError(
            f"rewards and propensities: found shapes {rewards.shape} and {propensities.shape}, "
            f"expected both ({n},) for whole plans or both ({n}, {s}) for each generator's own"
        )
    return n, s
