"""Rankers over arrays: fusion rules, LambdaMART, position bias and the gate between old and new."""

from rankers.base import Features, Floats, Judged, Ranker
from rankers.gate import Verdict, between, held_out, judge, scored
from rankers.harvesting import harvest
from rankers.interleaving import Credit, Draft, credit, team_draft
from rankers.ips import debiased
from rankers.lambdamart import LambdaMART, NotFittedError
from rankers.minmax import MinMaxFusion
from rankers.ndcg import debiased_ndcg, inverse_weights
from rankers.propensity import Examination
from rankers.regression_em import regression_em
from rankers.rrf import ReciprocalRankFusion

__all__ = [
    "Credit",
    "Draft",
    "Examination",
    "Features",
    "Floats",
    "Judged",
    "LambdaMART",
    "MinMaxFusion",
    "NotFittedError",
    "Ranker",
    "ReciprocalRankFusion",
    "Verdict",
    "between",
    "credit",
    "debiased",
    "debiased_ndcg",
    "harvest",
    "held_out",
    "inverse_weights",
    "judge",
    "regression_em",
    "scored",
    "team_draft",
]
