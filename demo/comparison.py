"""What each generator alone, and all of them fused, would have shown with as many candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from demo.listeners import PAGE, Wish
from engine import SearchEngine
from engine.full_answers import FullAnswers
from engine.hindsight import union_size
from retrievers.base import Hits, Query

RRF_K = 60


@dataclass(frozen=True, slots=True)
class Compared:
    """`success`: share of searches with the wanted item on the page, by system, one entry a wish in
    `found`; `candidates`: mean distinct candidates a search."""

    found: Mapping[str, tuple[bool, ...]]
    candidates: Mapping[str, float]

    def success(self, system: str) -> float:
        """Share of searches whose item was on the page."""
        return float(np.mean(self.found[system]))

    def lead(self, system: str) -> tuple[float, float]:
        """(lead of the engine over a system in success, half of its 95% interval), paired by search."""
        ahead = np.array(self.found["ltrr"], float) - np.array(self.found[system], float)
        return float(ahead.mean()), float(1.96 * ahead.std(ddof=1) / ahead.size**0.5)


def compare(engine: SearchEngine, wishes: Sequence[Wish]) -> Compared:
    """Answer the wishes with the engine, with each of its generators alone, and with reciprocal-rank
    fusion (Cormack et al., SIGIR 2009) of all generators at the depths that bring as many
    candidates in the mean as the engine's plans did."""
    state = engine.state
    ask, full = FullAnswers(state), int(state.ladder[-1])
    found: dict[str, list[bool]] = {"ltrr": []}
    candidates: dict[str, list[int]] = {"ltrr": []}
    answers: list[list[Hits]] = []
    rows: list[int] = []
    for wish in wishes:
        response = engine.search(wish.text, wish.context, PAGE)
        found["ltrr"].append(wish.item in [hit.id for hit in response.hits])
        candidates["ltrr"].append(response.candidates)
        query = Query(wish.text, wish.context)
        answers.append(ask(query))
        row = state.catalog.row(wish.item)
        rows.append(-1 if row is None else row)
    budget = float(np.mean(candidates["ltrr"]))
    for g, name in enumerate(state.retrievers):
        found[name] = [row in a[g].docs[:PAGE] for a, row in zip(answers, rows, strict=True)]
        depth = round(budget)
        candidates[name] = [min(len(a[g]), depth) for a in answers]
    depths, sizes = _even_depths(answers, budget, full)
    found["rrf"] = [
        row in _fused(a, depth) for a, row, depth in zip(answers, rows, depths, strict=True)
    ]
    candidates["rrf"] = sizes
    return Compared(
        {name: tuple(f) for name, f in found.items()},
        {name: float(np.mean(c)) for name, c in candidates.items()},
    )


def _even_depths(
    answers: list[list[Hits]], budget: float, full: int
) -> tuple[list[int], list[int]]:
    """A depth a search, the same for all its generators, at which the mean union is the budget, and
    the unions' sizes: two neighbouring depths, evenly mixed over the searches."""
    before = [0] * len(answers)
    for depth in range(1, full + 1):
        sizes = [union_size(a, np.full(len(a), depth, np.int32)) for a in answers]
        if np.mean(sizes) >= budget:
            share = (budget - np.mean(before)) / (np.mean(sizes) - np.mean(before))
            deeper = [int((i + 1) * share) > int(i * share) for i in range(len(answers))]
            return (
                [depth if more else depth - 1 for more in deeper],
                [s if more else b for s, b, more in zip(sizes, before, deeper, strict=True)],
            )
        before = sizes
    return [full] * len(answers), before


def _fused(hits: list[Hits], depth: int) -> list[int]:
    scores: dict[int, float] = {}
    for answer in hits:
        for rank, row in enumerate(answer.docs[:depth].tolist(), start=1):
            scores[row] = scores.get(row, 0.0) + 1.0 / (RRF_K + rank)
    return sorted(scores, key=lambda row: (-scores[row], row))[:PAGE]
