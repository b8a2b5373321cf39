"""What other systems would have shown for the same searches, from the same generators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.plans_found import best_plan, cheapest_cover
from benchmarks.systems import planned
from demo.listeners import PAGE
from demo.listening import Observed
from engine.hindsight import distinct
from rankers.base import Judged
from rankers.minmax import MinMaxFusion
from rankers.rrf import ReciprocalRankFusion
from retrievers.base import Docs, Hits
from retrievers.candidates import Candidates, union

LTRR, RRF, MINMAX, FIXED, ORACLE = "ltrr", "rrf", "minmax", "best fixed plan", "oracle plan"
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """`places`: by system, the rank of the wanted item on the page of each search, from 1; 0 where it
    was not there. `candidates`: mean distinct candidates a search. `intents`: of each search."""

    places: Mapping[str, Ints]
    candidates: Mapping[str, float]
    intents: tuple[str, ...]

    def success(self, system: str, k: int = PAGE, intent: str | None = None) -> float:
        """Share of the searches, of one intent where it is named, whose item is in the first k; NaN
        where there is no such search."""
        found = self._found(system, k)[self._of(intent)]
        return float(found.mean()) if found.size else float("nan")

    def lead(self, system: str, intent: str | None = None) -> tuple[float, float]:
        """(lead of the engine over a system in success, half of its 95% interval), paired by search."""
        of = self._of(intent)
        ahead = (self._found(LTRR, PAGE) - self._found(system, PAGE))[of]
        if ahead.size < 2:
            return float("nan"), float("nan")
        return float(ahead.mean()), float(1.96 * ahead.std(ddof=1) / ahead.size**0.5)

    def _found(self, system: str, k: int) -> NDArray[np.float64]:
        places = self.places[system]
        return ((places > 0) & (places <= k)).astype(np.float64)

    def _of(self, intent: str | None) -> NDArray[np.bool_]:
        return np.array([intent in (None, one) for one in self.intents], bool)


def compare(
    observed: Sequence[Observed],
    *,
    fitted_on: Sequence[Observed] = (),
    budgets: Mapping[str, float] | None = None,
) -> Compared:
    """Pages of other systems for searches that the engine has answered:

    each generator alone, its own first ten; reciprocal-rank fusion (Cormack et al., SIGIR 2009) and
    min-max fusion, its weights fitted on other searches, of all generators at the depths that bring as many
    candidates in the mean as the engine's plans did; the best fixed plan of at most that mean, found in
    hindsight, and per search the cheapest plan that brings the item, both ranked by the engine's
    ranker. `budgets`: further best fixed plans, by the mean of their candidates.
    """
    names = tuple(observed[0].state.retrievers)
    hits = [one.asked.hits for one in observed]
    places = {LTRR: np.array([one.searched.place for one in observed], np.int32)}
    own = [one.searched.candidates for one in observed]
    candidates = {LTRR: float(np.mean(own))}
    budget, ladder = candidates[LTRR], observed[0].state.ladder
    for g, name in enumerate(names):
        places[name] = _places([h[g].docs[:PAGE] for h in hits], observed)
        candidates[name] = float(np.mean([min(len(h[g]), round(budget)) for h in hits]))
    depths = even_depths(hits, budget, int(ladder[-1]))
    drawn = [_drawn(one, depth) for one, depth in zip(observed, depths, strict=True)]
    reciprocal = ReciprocalRankFusion(tuple(f"{name}.rank" for name in names))
    minmax = fitted(fitted_on or observed, names, max(depths))
    for label, pages in (
        (RRF, [_page(c, reciprocal.score(_ranks(c))) for c in drawn]),
        (MINMAX, [_page(c, minmax.score(c.scores)) for c in drawn]),
    ):
        places[label] = _places(pages, observed)
        candidates[label] = float(np.mean([len(c) for c in drawn]))
    asked = [one.asked for one in observed]
    for label, most in {FIXED: budget, **(budgets or {})}.items():
        plan = best_plan(asked, ladder, most)
        pages, sizes = _planned(observed, [plan] * len(observed))
        places[label], candidates[label] = _places(pages, observed), sizes
    covers = [cheapest_cover(one.hits, one.wanted, ladder) for one in asked]
    pages, sizes = _planned(observed, covers)
    places[ORACLE], candidates[ORACLE] = _places(pages, observed), sizes
    return Compared(places, candidates, tuple(one.searched.wish.intent for one in observed))


def joined(parts: Sequence[Compared]) -> Compared:
    """Comparisons of several engines as one; candidates by the searches of each."""
    sizes = [len(part.intents) for part in parts]
    return Compared(
        {name: np.concatenate([p.places[name] for p in parts]) for name in parts[0].places},
        {
            name: float(np.average([p.candidates[name] for p in parts], weights=sizes))
            for name in parts[0].candidates
        },
        tuple(intent for part in parts for intent in part.intents),
    )


def even_depths(hits: Sequence[list[Hits]], budget: float, full: int) -> list[int]:
    """A depth a search, the same for all its generators, at which the mean union is the budget: two
    neighbouring depths, evenly mixed over the searches."""
    before = 0.0
    for depth in range(1, full + 1):
        mean = float(np.mean([distinct([each.top(depth) for each in h]) for h in hits]))
        if mean >= budget:
            share = (budget - before) / (mean - before)
            return [
                depth if int((i + 1) * share) > int(i * share) else depth - 1
                for i in range(len(hits))
            ]
        before = mean
    return [full] * len(hits)


def fitted(observed: Sequence[Observed], names: tuple[str, ...], depth: int) -> MinMaxFusion:
    """Min-max fusion with the weights of best nDCG on some searches."""
    ranker = MinMaxFusion(tuple(f"{name}.score" for name in names))
    features, labels, starts = [], [], [0]
    for one in observed:
        candidates = _drawn(one, depth)
        features.append(candidates.scores)
        labels.append(np.isin(candidates.docs, one.asked.wanted))
        starts.append(starts[-1] + len(candidates))
    label = np.concatenate(labels).astype(np.float64)
    if label.any():
        ranker.fit(
            Judged(
                np.concatenate(features),
                label,
                np.ones(label.size),
                np.zeros(label.size, np.int32),
                np.array(starts, np.int64),
            )
        )
    return ranker


def _drawn(one: Observed, depth: int) -> Candidates:
    hits = one.asked.hits
    return union(tuple(one.state.retrievers), [depth] * len(hits), [h.top(depth) for h in hits])


def _ranks(candidates: Candidates) -> NDArray[np.float32]:
    return np.where(candidates.ranks < 0, np.nan, candidates.ranks).astype(np.float32)


def _page(candidates: Candidates, scores: NDArray[np.float32]) -> Docs:
    first: Docs = candidates.docs[np.lexsort((candidates.docs, -scores))[:PAGE]]
    return first


def _planned(observed: Sequence[Observed], plans: Sequence[Ints]) -> tuple[list[Docs], float]:
    made = [planned(o.state, o.asked, p, 0)[0] for o, p in zip(observed, plans, strict=True)]
    pages = [answer.candidates.docs[answer.order[:PAGE]] for answer in made]
    return pages, float(np.mean([len(answer.candidates) for answer in made]))


def _places(pages: Sequence[Docs], observed: Sequence[Observed]) -> Ints:
    places = []
    for page, one in zip(pages, observed, strict=True):
        at = np.flatnonzero(np.isin(page, one.asked.wanted))
        places.append(int(at[0]) + 1 if at.size else 0)
    return np.array(places, np.int32)
