"""The one gate: whether a new ranker may take the old one's place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rankers.base import Judged, Ranker
from rankers.ndcg import debiased_ndcg, inverse_weights
from rankers.propensity import Examination

SHARE = 0.2
"""Share of the impressions, the latest, that the gate holds out."""
CLICKED = 200
"""Clicked impressions held out below which an established ranker is not replaced."""
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the held-out impressions say of a new ranker.

    `difference`: nDCG@k new - old, debiased, NaN without clicks; `low`, `high`: its 95% interval,
    infinite below two clicked impressions; `impressions`: clicked impressions held out; `promote`:
    whether the new ranker replaces the old; `reason`: why, in a sentence.
    """

    difference: float
    low: float
    high: float
    impressions: int
    promote: bool
    reason: str

    def clears(self, loss: float) -> bool:
        """Whether the new ranker is surely no worse than `loss` ≥ 0 below the old: low ≥ -loss."""
        return self.low >= -loss


def held_out(starts: NDArray[np.int64], share: float = SHARE) -> int:
    """The first held-out query: those from it on are the last `share` of all, rounded up.

    `starts` (q + 1,), queries in order of time. At least one query stays on either side where q ≥ 2;
    a single query is held out.
    """
    if not 0 < share < 1:
        raise ValueError(f"share: found {share}, expected a number between 0 and 1")
    queries = int(starts.size - 1)
    kept = int(queries * (1 - share) + 1e-9)  # 1 - 0.2 is not exactly 0.8
    return max(kept, min(1, queries - 1), 0)


def between(judged: Judged, first: int, last: int) -> Judged:
    """The queries first, first + 1, …, last - 1 of `judged`."""
    starts = judged.starts[first : last + 1]
    rows = slice(int(starts[0]), int(starts[-1]))
    return Judged(
        judged.features[rows],
        judged.labels[rows],
        judged.weights[rows],
        judged.positions[rows],
        starts - starts[0],
    )


def scored(ranker: Ranker, judged: Judged) -> NDArray[np.float32]:
    """Shape (n,): `ranker`'s scores, query by query, as a search would ask for them."""
    scores = np.empty(judged.labels.shape, np.float32)
    for first, last in zip(judged.starts[:-1], judged.starts[1:], strict=True):
        scores[first:last] = ranker.score(judged.features[first:last])
    return scores


def judge(
    held: Judged,
    old: NDArray[np.float32],
    new: NDArray[np.float32],
    examination: Examination,
    *,
    first: bool = False,
    k: int = 10,
    clicked: int = CLICKED,
) -> Verdict:
    """Compare scores (n,) of the old and the new ranker on held-out impressions.

    An established ranker (`first` False) is kept where fewer than `clicked` clicked impressions are
    held out, or where the upper end of the interval is below 0; otherwise the new one replaces it.
    The first trained ranker replaces fusion where its estimate is higher (difference > 0) and `clicked`
    impressions say so or the interval lies above 0: a handful would let in a ranker trained on next
    to nothing, which the rule for established ones then protects.

    Impressions without a label above 0 say nothing of the difference and are left out. The estimate
    is self-normalised: Σ difference of `debiased_ndcg` / Σ `inverse_weights`. The interval is normal
    with the linearised (delta method) error of that ratio over impressions, taken as independent.
    """
    worth = inverse_weights(held, examination)
    kept = worth > 0
    count = int(kept.sum())
    if count == 0:
        reason = "kept the old ranker: no clicked impression is held out"
        return Verdict(np.nan, -np.inf, np.inf, 0, promote=False, reason=reason)
    gained = debiased_ndcg(held, new, examination, k) - debiased_ndcg(held, old, examination, k)
    gained, worth = gained[kept], worth[kept]
    difference = math.fsum(gained) / math.fsum(worth)  # gains and losses that even out give 0
    low, high = -np.inf, np.inf
    if count > 1:
        residuals = (gained - difference * worth) / worth.mean()
        reach = Z * float(residuals.std(ddof=1)) / count**0.5
        low, high = difference - reach, difference + reach
    promote, reason = _decide(difference, low, high, count, first=first, clicked=clicked, k=k)
    return Verdict(difference, low, high, count, promote, reason)


def _decide(
    difference: float,
    low: float,
    high: float,
    count: int,
    *,
    first: bool,
    clicked: int,
    k: int,
) -> tuple[bool, str]:
    if first and difference > 0 and (low > 0 or count >= clicked):
        return True, f"promoted: the first ranker's nDCG@{k} is {difference:.4f} above fusion's"
    if first and difference > 0:
        return (
            False,
            f"kept fusion: {count} clicked impressions held out don't say yet which is better",
        )
    if first and difference == 0:
        return False, f"kept fusion: the first ranker's nDCG@{k} is the same"
    if first:
        return False, f"kept fusion: the first ranker's nDCG@{k} is {-difference:.4f} below it"
    if count < clicked:
        return False, f"kept the old ranker: {count} clicked impressions held out, {clicked} needed"
    if high < 0:
        return False, f"kept the old ranker: nDCG@{k} is lower by at least {-high:.4f}"
    return True, f"promoted: nDCG@{k} is not surely lower (at best {high:+.4f})"
