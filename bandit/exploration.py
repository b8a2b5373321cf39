"""The distribution a policy draws its plan from, with every probability exact.

With probability 1 - epsilon one of a few whole plans is played, with epsilon each generator's
rung is drawn on its own from a known background q:

    p(plan) = (1 - epsilon) · Σ_m w_m [plan = plan_m] + epsilon · ∏_i q_i(rung_i)
    p_i(l)  = (1 - epsilon) · Σ_m w_m [rung_mi = l]   + epsilon · q_i(l)

Epsilon-greedy and LinUCB play one plan, Thompson sampling several, uniform none (epsilon = 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandit.base import Depths, Floats
from bandit.plans import Rungs

BESIDE = 0.8
"""Share of the depths that exploring changes which move by one rung only."""


@dataclass(frozen=True, slots=True, eq=False)
class PlanDistribution:
    """What a policy may play in one search, over rung indices.

    `plans` (M, s) with `weights` (M,) summing to 1; `epsilon` in [0, 1]; `background` q (s, L),
    each row summing to 1. `gains`, `bonuses` (s, L): the policy's estimate of every rung and the
    optimism added to it, NaN where it estimates nothing.
    """

    plans: Rungs
    weights: Floats
    epsilon: float
    background: Floats
    gains: Floats
    bonuses: Floats

    def probability(self, rungs: Rungs) -> float:
        """Of the whole plan `rungs` (s,)."""
        played = float(self.weights[(self.plans == rungs).all(axis=1)].sum())
        own = self.background[np.arange(rungs.size), rungs]
        return (1.0 - self.epsilon) * played + self.epsilon * float(own.prod())

    def marginals(self) -> Floats:
        """Shape (s, L): of every rung of every generator on its own."""
        shares = np.zeros_like(self.background)
        columns = np.arange(shares.shape[0])
        for plan, weight in zip(self.plans, self.weights, strict=True):
            shares[columns, plan] += weight
        return (1.0 - self.epsilon) * shares + self.epsilon * self.background

    def draw(self, rng: np.random.Generator) -> Rungs:
        """One plan (s,), always from 1 + s uniform numbers of `rng`."""
        first, *others = rng.random(1 + self.background.shape[0])
        if first < self.epsilon:
            # Dividing by the last sum makes it exactly 1, so that rounding reaches no rung of
            # probability 0.
            sums = np.cumsum(self.background, axis=1)
            sums /= sums[:, -1:]
            rungs: Rungs = (sums <= np.array(others)[:, None]).sum(axis=1)
            return rungs
        sums = np.cumsum(self.weights)
        share = (first - self.epsilon) / (1.0 - self.epsilon) * sums[-1]
        plan: Rungs = self.plans[min(int((sums <= share).sum()), len(sums) - 1)]
        return plan


def shallow(ladder: Depths, generators: int) -> Floats:
    """The default background q (s, L): a rung's share falls as 1 / (1 + depth).

    Every rung then adds about equally to the expected depth, so that a random plan stays cheap
    (3.9 drawn a generator on 0, 3, 5, 10, 20, 35, 50, 100) while every depth is tried.
    """
    share = 1.0 / (1.0 + np.asarray(ladder, np.float64))
    return np.tile(share / share.sum(), (generators, 1))


def around(rungs: Rungs, background: Floats, keep: float) -> Floats:
    """q (s, L) that leaves each generator at its rung of a plan (s,) with probability `keep`, moves it to one of
    the rungs beside with `BESIDE` of the rest, and draws from `background` otherwise.

    Exploring then changes a few depths of the plan by little instead of all by much: it costs less, and
    says of plans close to the one played, which are those a next policy will want, far more per search.
    """
    near = (1.0 - keep) * (1.0 - BESIDE) * background
    generators, last = np.arange(rungs.size), background.shape[1] - 1
    near[generators, rungs] += keep
    for other in (np.maximum(rungs - 1, 0), np.minimum(rungs + 1, last)):
        near[generators, other] += (1.0 - keep) * BESIDE / 2.0
    return near


def checked_background(background: Floats | None, ladder: Depths, generators: int) -> Floats:
    """`background` as (s, L) probabilities, a single row (L,) standing for all; None: `shallow`."""
    if background is None:
        return shallow(ladder, generators)
    found = np.asarray(background, np.float64)
    shape = (generators, len(ladder))
    if found.shape not in (shape, shape[1:]):
        raise ValueError(
            f"background: found shape {found.shape}, expected {shape} or {shape[1:]} "
            "(generators, rungs of the ladder)"
        )
    rows = np.broadcast_to(found, shape).copy()
    if not (np.isfinite(rows).all() and (rows >= 0).all()):
        raise ValueError("background: found negative or non-finite entries, expected probabilities")
    if not np.allclose(rows.sum(axis=1), 1.0, atol=1e-9):
        raise ValueError(
            f"background: rows sum to {rows.sum(axis=1).tolist()}, expected 1 for each generator"
        )
    return rows


def checked_share(name: str, value: float) -> float:
    """`value` if it lies in [0, 1]."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name}: found {value}, expected a probability in [0, 1]")
    return float(value)
