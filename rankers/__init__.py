"""Rankers over arrays: fusion rules, LambdaMART, position bias and the gate between old and new."""

from rankers.base import Features, Floats, Judged, Ranker
from rankers.doubly_robust import doubly_robust, inverse_rates
from rankers.exploration import Explored, swapped, within_loss
from rankers.exposures import Exposures
from rankers.gate import Verdict, between, held_out, judge, scored
from rankers.harvesting import harvest
from rankers.interleaving import Credit, Draft, credit, team_draft
from rankers.ips import debiased
from rankers.lambdamart import LambdaMART, NotFittedError
from rankers.latent_grades import LatentGrades, latent_grades
from rankers.minmax import MinMaxFusion
from rankers.ndcg import debiased_ndcg, inverse_weights
from rankers.position_bias import PositionBias, position_bias
from rankers.propensity import Examination, smoothed
from rankers.regression_em import regression_em
from rankers.rrf import ReciprocalRankFusion
from rankers.surfaces import Surfaces, by_surface

__all__ = [
    "Credit",
    "Draft",
    "Examination",
    "Explored",
    "Exposures",
    "Features",
    "Floats",
    "Judged",
    "LambdaMART",
    "LatentGrades",
    "MinMaxFusion",
    "NotFittedError",
    "PositionBias",
    "Ranker",
    "ReciprocalRankFusion",
    "Surfaces",
    "Verdict",
    "between",
    "by_surface",
    "credit",
    "debiased",
    "debiased_ndcg",
    "doubly_robust",
    "harvest",
    "held_out",
    "inverse_rates",
    "inverse_weights",
    "judge",
    "latent_grades",
    "position_bias",
    "regression_em",
    "scored",
    "smoothed",
    "swapped",
    "team_draft",
    "within_loss",
]
