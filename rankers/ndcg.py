"""nDCG of logged impressions, corrected for the positions their clicks were made at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rankers.base import Floats, Judged
from rankers.propensity import Examination


def debiased_ndcg(
    judged: Judged, scores: NDArray[np.floating], examination: Examination, k: int = 10
) -> Floats:
    """Shape (q,): Σ over the k best rows of label / examination · 1 / log2(1 + rank), over the ideal.

    The ideal is that of the labels as they are, so the value is linear in 1 / examination: its mean
    estimates what a page examined in full would give (inverse propensity scoring, Joachims et al.,
    WSDM 2017). It may exceed 1. With examination 1 everywhere it is nDCG@k with linear gain.
    Ties in `scores` are broken by row. A query without a label above 0 gives 0.
    """
    if scores.shape != judged.labels.shape:
        raise ValueError(f"scores: found shape {scores.shape}, expected {judged.labels.shape}")
    if k < 1:
        raise ValueError(f"k: found {k}, expected at least 1")
    gains = judged.labels / examination.of(judged.positions)
    return _ratio(
        _dcg(gains, scores, judged.starts, k), _dcg(judged.labels, judged.labels, judged.starts, k)
    )


def inverse_weights(judged: Judged, examination: Examination) -> Floats:
    """Shape (q,): by how much the correction multiplies a query's labels, Σ label / e over Σ label.

    0 for a query without a label above 0. The values of `debiased_ndcg`, divided by the mean of
    these over the labelled queries, lie on the scale of nDCG (self-normalised).
    """
    queries = np.repeat(np.arange(judged.queries), np.diff(judged.starts))
    corrected = judged.labels / examination.of(judged.positions)
    return _ratio(
        _total(queries, corrected, judged.queries), _total(queries, judged.labels, judged.queries)
    )


def _dcg(gains: Floats, scores: NDArray[np.floating], starts: NDArray[np.int64], k: int) -> Floats:
    sizes = np.diff(starts)
    queries = np.repeat(np.arange(sizes.size), sizes)
    order = np.lexsort((-scores, queries))  # stable: ties stay in the order of their rows
    ranks = np.arange(order.size) - np.repeat(starts[:-1], sizes)
    top = ranks < k
    values = gains[order[top]] / np.log2(ranks[top] + 2.0)
    return _total(queries[top], values, sizes.size)


def _total(queries: NDArray[np.int64], values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(queries, values, count), np.float64)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)
