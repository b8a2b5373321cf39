"""Team-draft interleaving: two rankers share a page, and whose items are liked tells which is better.

Radlinski, Kurup and Joachims (CIKM 2008), algorithm 2, with credit as in Chapelle, Joachims,
Radlinski and Yue (TOIS 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Docs = NDArray[np.int32]
Floats = NDArray[np.float64]

FIRST: Final = 0
SECOND: Final = 1
NEITHER: Final = -1
LEVEL: Final = 0.95
Z: Final = 1.959964
"""Of a two-sided 95% interval."""
Z_POWER: Final = 0.841621
"""Of a chance of four in five to find a difference that is there."""
FEWEST: Final = 6
"""Decided votes below which no outcome is sure: 2 · ½⁵ > 5%."""
BISECTIONS: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A page of n places, best first: `docs` (n,), and `teams` (n,), the ranker each was drafted by."""

    docs: Docs
    teams: NDArray[np.int8]


def team_draft(first: Docs, second: Docs, k: int, rng: np.random.Generator) -> Draft:
    """One page of at most k from two orders, best first, each without repeats.

    The ranker with fewer items on the page drafts its best that is not there yet; between equals a
    coin decides. What both would draft next goes to the one whose turn it is. Two stretches go to
    `NEITHER`, since a click there speaks for none: the items at the top on which both orders agree,
    and what is left of one order where the other has nothing more to draft. The page of k is the
    beginning of every longer one, for the same state of `rng`.

    The paper stops as soon as one order is used up. Here a round is played to its end first: else the
    shorter order would have had its last item on every page, the other its answer to it on half.
    """
    orders = (first.tolist(), second.tolist())
    shared = 0
    while shared < min(len(orders[0]), len(orders[1]), k) and (
        orders[0][shared] == orders[1][shared]
    ):
        shared += 1
    docs: list[int] = orders[FIRST][:shared]
    teams, taken = [NEITHER] * shared, set(docs)
    place, drafted = [shared, shared], [0, 0]
    while len(docs) < k:
        for team, order in enumerate(orders):
            while place[team] < len(order) and order[place[team]] in taken:
                place[team] += 1
        able = [place[team] < len(order) for team, order in enumerate(orders)]
        team = int(drafted[SECOND] < drafted[FIRST])
        if drafted[FIRST] == drafted[SECOND]:
            if not all(able):
                break
            team = int(rng.integers(2))
        if not able[team]:
            break
        docs.append(orders[team][place[team]])
        teams.append(team)
        taken.add(docs[-1])
        drafted[team] += 1
    left = [doc for order in orders for doc in order if doc not in taken][: max(k - len(docs), 0)]
    return Draft(np.array(docs + left, np.int32), np.array(teams + [NEITHER] * len(left), np.int8))


def margin(teams: NDArray[np.int8], earned: Floats) -> float:
    """What the second ranker's items earned, such as clicks, less what the first's did; both (n,)."""
    ahead = float(earned[teams == SECOND].sum() - earned[teams == FIRST].sum())
    return round(ahead, 9)  # sums in another order differ in their last bits


@dataclass(frozen=True, slots=True)
class Credit:
    """What interleaved pages say of two rankers.

    A vote is a group of impressions that share a draw; `wins` and `losses` are those that the second
    and the first ranker won, `ties` those where something was clicked and neither did. `preference` is
    Δ = (wins + ties / 2) / votes - 1/2, from -1/2 to 1/2, above 0 where the second is better, and
    [`low`, `high`] its exact 95% interval (Clopper and Pearson 1934), the share of ties taken as
    given; None without votes to tell. `p`: of the exact two-sided sign test, ties left out; it is
    below 0.05 where the interval leaves out 0. That holds for one look at a time set beforehand: looking
    again and again until it is sure errs more often. `needed`: a rough guide to the further
    impressions that decide, four times in five, if the difference is what it seems; 0 where it is
    decided, None where nothing speaks for either.
    """

    impressions: int
    clicked: int
    votes: int
    wins: int
    losses: int
    ties: int
    preference: float | None
    low: float | None
    high: float | None
    p: float
    needed: int | None

    @property
    def better(self) -> Literal[0, 1] | None:
        """`FIRST` or `SECOND` where one is surely better."""
        if self.p >= 1.0 - LEVEL:
            return None
        return SECOND if self.wins > self.losses else FIRST


def credit(groups: NDArray[np.int64], margins: Floats, clicked: NDArray[np.bool_]) -> Credit:
    """Credit from m impressions, all arrays (m,).

    `groups`: equal numbers shared one draw; then who came first is no new evidence, and they have one
    vote together: that of the ranker that won more of their impressions. `margins`: as of `margin`, whose
    sign says who won. `clicked`: whether anything was, on a team's items or others.
    """
    impressions = int(groups.size)
    _, of = np.unique(groups[clicked], return_inverse=True)
    sums = np.bincount(of, np.sign(margins[clicked]))
    votes = int(sums.size)
    wins, losses = int((sums > 0).sum()), int((sums < 0).sum())
    decided = wins + losses
    preference: float | None = None
    low, high = None, None
    if votes:
        preference = (wins - losses) / (2 * votes)
    if decided:
        ends = share_interval(wins, decided)
        low, high = ((end - 0.5) * decided / votes for end in ends)
    p = sign_test(wins, losses)
    return Credit(
        impressions=impressions, clicked=int(clicked.sum()), votes=votes, wins=wins, losses=losses,
        ties=votes - decided, preference=preference, low=low, high=high, p=p,
        needed=_needed(wins, losses, impressions, p),
    )  # fmt: skip


def sign_test(wins: int, losses: int) -> float:
    """Two-sided p of so uneven a count among equals; 1 without any."""
    n = wins + losses
    chances = np.exp(_ways(n) - n * math.log(2.0))
    return min(1.0, 2.0 * float(chances[: min(wins, losses) + 1].sum()))


def share_interval(wins: int, n: int) -> tuple[float, float]:
    """The exact 95% interval of a share of which `wins` of n were seen (Clopper and Pearson 1934)."""
    ways, counts = _ways(n), np.arange(n + 1)
    tail = (1.0 - LEVEL) / 2.0

    def beyond(share: float, rows: slice) -> float:
        chance = ways + counts * math.log(share) + (n - counts) * math.log1p(-share)
        return float(np.exp(chance[rows]).sum())

    def crossing(rows: slice, rises: bool) -> float:
        low, high = 0.0, 1.0
        for _ in range(BISECTIONS):
            middle = (low + high) / 2.0
            if (beyond(middle, rows) < tail) == rises:
                low = middle
            else:
                high = middle
        return (low + high) / 2.0

    return (
        0.0 if wins == 0 else crossing(slice(wins, None), True),
        1.0 if wins == n else crossing(slice(wins + 1), False),
    )


def _ways(n: int) -> Floats:
    """Shape (n + 1,): the logarithm of n over 0, 1, …, n."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.asarray(factorials[n] - factorials - factorials[::-1], np.float64)


def _needed(wins: int, losses: int, impressions: int, p: float) -> int | None:
    decided = wins + losses
    if p < 1.0 - LEVEL:
        return 0
    if wins == losses:
        return None
    share = wins / decided
    reach = Z * 0.5 + Z_POWER * math.sqrt(share * (1.0 - share))
    votes = max((reach / abs(share - 0.5)) ** 2, FEWEST)
    return max(1, math.ceil((votes - decided) * impressions / decided))
