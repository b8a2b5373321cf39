"""What interleaved pages have shown so far: who wins, how sure that is, and what it still takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.counterfactual import draws_of, take
from engine.interleaving import TEAMS, Team
from engine.log_rows import EventRow, SearchRow
from rankers.interleaving import NEITHER, Credit, credit, margin


@dataclass(frozen=True, slots=True)
class Interleaved:
    """The outcome between two snapshots, by their numbers.

    `credit` is that of the challenger (wins, preference above 0) against the incumbent (losses). An
    impression is won by the team whose items earned more by `EngineConfig.rewards`, each item once
    with its largest weight. All impressions of one query in one context have a single vote: they
    share one draw, so that who drafts first is the same in all of them.
    """

    incumbent: int
    challenger: int
    credit: Credit

    @property
    def winner(self) -> Team | None:
        """Who is surely better; None where that is open."""
        better = self.credit.better
        return None if better is None else TEAMS[better]


def outcomes(
    searches: Sequence[SearchRow], events: Sequence[EventRow], rewards: Mapping[str, float]
) -> tuple[Interleaved, ...]:
    """The outcome of every pair of states that has shared pages, in order of their first.

    `searches`: interleaved ones; `events`: those on them, both as of `Log.interleaved`.
    """
    best: dict[str, dict[str, float]] = {row.impression: {} for row in searches}
    for event in events:
        if event.impression is not None:
            take(best[event.impression], event, rewards)
    pairs: dict[tuple[int, int], list[SearchRow]] = {}
    for row in searches:
        pairs.setdefault(_pair(row, "version"), []).append(row)
    return tuple(_outcome(rows, best) for rows in pairs.values())


def _outcome(rows: Sequence[SearchRow], best: Mapping[str, Mapping[str, float]]) -> Interleaved:
    margins, clicked = np.zeros(len(rows)), np.zeros(len(rows), np.bool_)
    for n, row in enumerate(rows):
        earned = np.array([best[row.impression].get(document, 0.0) for document in row.shown])
        margins[n] = margin(_teams(row), earned)
        clicked[n] = bool(best[row.impression])
    # A snapshot saved again has another number and the same version.
    incumbent, challenger = _pair(rows[-1], "snapshot")
    return Interleaved(incumbent, challenger, credit(draws_of(rows), margins, clicked))


def _pair(row: SearchRow, key: str) -> tuple[int, int]:
    about = row.interleaving or {}
    return int(about["incumbent"][key]), int(about["challenger"][key])


def _teams(row: SearchRow) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    number = {team: n for n, team in enumerate(TEAMS)}
    teams = (row.interleaving or {})["teams"]
    return np.array([number.get(team, NEITHER) for team in teams], np.int8)
