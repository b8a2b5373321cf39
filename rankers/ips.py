"""Clicks reweighted by inverse examination, for training (Wang et al., WSDM 2018, eq. 3)."""

from __future__ import annotations

import numpy as np

from rankers.base import Judged
from rankers.ndcg import inverse_weights
from rankers.propensity import Examination


def debiased(judged: Judged, examination: Examination) -> Judged:
    """`judged` as an evenly examined page would have been clicked, in expectation.

    Each label is divided by the (clipped) examination of its position. Gradients of nDCG divide by
    the ideal, which would undo this where a query has one click; so the weights of a query's rows are
    multiplied by Σ label / examination over Σ label as well. Rows never shown are left as they are.
    """
    factors = inverse_weights(judged, examination)
    factors[factors == 0] = 1.0
    return Judged(
        judged.features,
        judged.labels / examination.of(judged.positions),
        judged.weights * np.repeat(factors, np.diff(judged.starts)),
        judged.positions,
        judged.starts,
    )
