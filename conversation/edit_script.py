"""A rewrite as a walk over the query: keep a word, drop it, or say another before going on.

What a pointer-generator has to learn is mostly to keep (See, Liu & Manning 2017 let it copy; Malmi et al.
2019, LaserTagger, show that keeping should cost nothing). Of the walks that lead from one text to the other the
one with the fewest and longest edits is taken, drops before sayings, so that every pair has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

KEEP, DROP, SAY = 0, 1, 2
OPENING = 0.4
"""What starting another edit costs beside its words: one long edit is read more easily than two."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a walk; `word` is said, or None."""

    act: int
    word: str | None = None


def script(query: Sequence[str], rewrite: Sequence[str]) -> list[Step]:
    """The steps that make `rewrite` of `query`, both as words."""
    rows, columns = len(query), len(rewrite)
    infinite = float("inf")
    # cost[state][i][j]: words i of the query and j of the rewrite done; state 1 is inside an edit
    cost = [[[infinite] * (columns + 1) for _ in range(rows + 1)] for _ in range(2)]
    back: list[list[list[tuple[int, int]]]] = [
        [[(0, 0)] * (columns + 1) for _ in range(rows + 1)] for _ in range(2)
    ]
    cost[0][0][0] = 0.0
    for i in range(rows + 1):
        for j in range(columns + 1):
            if i and j and query[i - 1] == rewrite[j - 1]:
                for state in (0, 1):
                    known = cost[state][i - 1][j - 1]
                    if known < cost[0][i][j]:
                        cost[0][i][j], back[0][i][j] = known, (state, KEEP)
            for act, a, b in ((SAY, i, j - 1), (DROP, i - 1, j)):
                if a < 0 or b < 0:
                    continue
                for state in (0, 1):
                    known = cost[state][a][b] + 1 + (OPENING if state == 0 else 0)
                    if known < cost[1][i][j]:
                        cost[1][i][j], back[1][i][j] = known, (state, act)
    state = 0 if cost[0][rows][columns] <= cost[1][rows][columns] else 1
    walked: list[Step] = []
    i, j = rows, columns
    while i or j:
        state, act = back[state][i][j]
        walked.append(Step(act, rewrite[j - 1] if act == SAY else None))
        i, j = i - (act != SAY), j - (act != DROP)
    return _drops_first(walked[::-1])


def _drops_first(steps: Sequence[Step]) -> list[Step]:
    ordered: list[Step] = []
    said: list[Step] = []
    for step in steps:
        if step.act == SAY:
            said.append(step)
        else:
            if step.act == KEEP:
                ordered += said
                said = []
            ordered.append(step)
    return ordered + said


def carried_out(query: Sequence[str], steps: Sequence[Step]) -> list[str]:
    """The words that a walk over `query` makes."""
    made: list[str] = []
    at = 0
    for step in steps:
        if step.act == SAY and step.word is not None:
            made.append(step.word)
        else:
            made += [query[at]] if step.act == KEEP else []
            at += 1
    return made
