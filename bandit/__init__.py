"""Retrieval policies: which generators to ask, how deep, and what another policy would have done."""

from bandit.base import Choice, RetrievalPolicy, Rounds
from bandit.epsilon_greedy import EpsilonGreedy
from bandit.exploration import PlanDistribution
from bandit.fixed import FixedPlan
from bandit.linucb import LinUCB
from bandit.plans import expected_candidates, greedy
from bandit.policy import LadderPolicy
from bandit.price import tune
from bandit.registry import load_policy, policies
from bandit.thompson import Thompson
from bandit.uniform import UniformPolicy

__all__ = [
    "Choice",
    "EpsilonGreedy",
    "FixedPlan",
    "LadderPolicy",
    "LinUCB",
    "PlanDistribution",
    "RetrievalPolicy",
    "Rounds",
    "Thompson",
    "UniformPolicy",
    "expected_candidates",
    "greedy",
    "load_policy",
    "policies",
    "tune",
]
