"""Which of the documents that a plan drew are worth a place among the candidates.

Drawing deeper costs a generator next to nothing; what costs is every candidate's features and rank. So
plans draw more than the budget lets pass, and of what they drew, trees tell what share of all that a search
is for a document probably is, from nothing but where each generator has it and what is known of the query:
a cheap stage before the ranker (Wang, Lin & Metzler 2011, "A cascade ranking model for efficient ranked
retrieval", SIGIR). What promises less than `State.bar` is dropped. Shares, since a search counts once however much
is wanted of it: one of ten documents is worth a place less than the only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from engine.query_features import X_NAMES, QueryFacts
from rankers.compiled import CompiledTrees, readers
from retrievers.base import Docs
from retrievers.candidates import Candidates

if TYPE_CHECKING:
    from lightgbm import Booster

    from engine.state import State

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]

WINDOW = 4_000
"""Clicked searches that the trees are grown from, the latest."""
LEAST = 200
"""Clicked searches from which on there are trees."""
GROWN = 0.2
"""Share of the window that is new before they are grown again."""
OTHERS = 10
"""Documents of a search that were not clicked and are kept to grow from; each stands for as many as there were."""
KNOWN = X_NAMES.index("user_topic_0")
"""Of the context, the columns before the user's topics."""
TREES = {
    "objective": "cross_entropy",
    "learning_rate": 0.06,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "feature_fraction_bynode": 0.5,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
ROUNDS = 100
MODEL, SEARCHES = "model.txt", "searches.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Documents of one search to grow from: `rows` (n, f), the `shares` (n,) that they are of what was wanted, in
    [0, 1], and how many like them there were, `weights` (n,)."""

    rows: Rows
    shares: NDArray[np.float32]
    weights: NDArray[np.float32]


def rows_of(facts: QueryFacts, candidates: Candidates, types: NDArray[np.int16]) -> Rows:
    """Shape (n, f): what trees see of drawn documents; `types` (rows,) are the codes of the catalogue."""
    ranks, scores = candidates.ranks, candidates.scores
    n, s = ranks.shape
    rows = np.empty((n, 2 * s + 2 + KNOWN), np.float32)
    found = ranks >= 0
    rows[:, :s] = np.where(found, ranks, np.nan)
    # Raw scores of different queries are not comparable; shares of a generator's best are.
    best = np.max(np.where(ranks == 0, np.abs(scores), 0.0), axis=0, initial=0.0)
    rows[:, s : 2 * s] = scores / np.maximum(best, 1e-9)
    rows[:, 2 * s] = found.sum(axis=1)
    rows[:, 2 * s + 1] = types[candidates.docs]
    rows[:, 2 * s + 2 :] = facts.x[:KNOWN]
    return rows


def lesson(rows: Rows, shares: NDArray[np.float32], rng: np.random.Generator) -> Lesson:
    """All that was wanted, and some of the rest."""
    others = np.flatnonzero(shares == 0)
    some = np.sort(rng.choice(others, OTHERS, replace=False)) if others.size > OTHERS else others
    kept = np.concatenate([np.flatnonzero(shares), some])
    weights = np.ones(kept.size, np.float32)
    weights[kept.size - some.size :] = others.size / max(some.size, 1)
    return Lesson(rows[kept], shares[kept], weights)


class Pruner:
    """What changes is replaced: a `copy.copy` stays as it is."""

    def __init__(self) -> None:
        self._lessons: tuple[Lesson, ...] = ()
        self._new = 0
        self._model: str | None = None
        self._booster: Booster | None = None
        self._trees: CompiledTrees | None = None

    @property
    def grown(self) -> bool:
        """Whether there are trees, without which nothing is dropped."""
        return self._booster is not None

    def probable(self, rows: Rows) -> Floats:
        """Shape (n,): the share of what is wanted that a document of `rows_of` probably is, as log odds. ValueError
        before there are trees."""
        if self._booster is None:
            raise ValueError("Pruner: asked before it has grown trees")
        if self._trees is not None:
            return self._trees.score(rows)
        return np.asarray(self._booster.predict(rows, num_threads=1, raw_score=True), np.float64)

    def observe(self, lessons: list[Lesson], seed: int) -> None:
        """Take in the clicked searches of a chunk.

        Trees are grown of those before them: of searches that trees have seen they are too sure, and the
        bar that a chunk tells would let too much pass of what comes next.
        """
        size = len(self._lessons)
        if size >= LEAST and (not self.grown or self._new >= GROWN * size):
            self._read(_grown(self._lessons, seed))
            self._new = 0
        self._lessons = (*self._lessons, *lessons)[-WINDOW:]
        self._new += len(lessons)

    def _read(self, model: str) -> None:
        self._model = model
        self._booster, self._trees = readers(model, self._lessons[0].rows.shape[1])

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        if self._lessons:
            arrays = {
                "rows": np.concatenate([one.rows for one in self._lessons]),
                "shares": np.concatenate([one.shares for one in self._lessons]),
                "weights": np.concatenate([one.weights for one in self._lessons]),
                "sizes": np.array([one.shares.size for one in self._lessons]),
                "new": np.array(self._new),
            }
            np.savez(folder / SEARCHES, allow_pickle=False, **arrays)
        if self._model is not None:
            (folder / MODEL).write_text(self._model, encoding="utf-8", newline="")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        pruner = cls()
        if (folder / SEARCHES).is_file():
            with np.load(folder / SEARCHES, allow_pickle=False) as arrays:
                ends = np.cumsum(arrays["sizes"])[:-1]
                parts = (np.split(arrays[name], ends) for name in ("rows", "shares", "weights"))
                pruner._lessons = tuple(Lesson(*one) for one in zip(*parts, strict=True))
                pruner._new = int(arrays["new"])
        if (folder / MODEL).is_file():
            pruner._read((folder / MODEL).read_bytes().decode("utf-8"))
        return pruner


def worthy(odds: Floats, bar: float, least: int) -> NDArray[np.bool_]:
    """Shape (n,): the documents at or above the bar, and in any case the `least` that promise most; ties by place."""
    kept = odds >= bar
    if np.count_nonzero(kept) < least:
        kept = np.zeros(odds.size, np.bool_)
        kept[np.argsort(-odds, kind="stable")[:least]] = True
    return kept


def passed(
    state: State, facts: QueryFacts, drawn: Candidates, least: int, also: Docs | None = None
) -> Candidates:
    """The drawn documents that reach the ranker, at least `least` and those of `also`."""
    if state.pruner is None or not state.bar > -np.inf:
        return drawn
    odds = state.pruner.probable(rows_of(facts, drawn, state.catalog.types))
    kept = worthy(odds, state.bar, least)
    return drawn.only(kept if also is None else kept | np.isin(drawn.docs, also))


def bar_for(odds: list[Floats], mean: float, least: int) -> float:
    """The lowest bar at which searches, each with the log odds of what it drew, keep at most `mean` documents in
    the mean; -inf where they keep as few without one."""
    if not odds or sum(one.size for one in odds) <= mean * len(odds):
        return -np.inf
    every = np.unique(np.concatenate(odds))
    sizes = np.array([one.size for one in odds])
    ordered = [np.sort(one) for one in odds]

    def kept(bar: float) -> float:
        above = sizes - np.array([np.searchsorted(one, bar) for one in ordered])
        return float(np.maximum(above, np.minimum(sizes, least)).mean())

    low, high = 0, every.size - 1
    while low < high:
        middle = (low + high) // 2
        if kept(float(every[middle])) <= mean:
            high = middle
        else:
            low = middle + 1
    return float(every[low])


def _grown(lessons: tuple[Lesson, ...], seed: int) -> str:
    import lightgbm

    data = lightgbm.Dataset(
        np.concatenate([one.rows for one in lessons]),
        np.concatenate([one.shares for one in lessons]),
        weight=np.concatenate([one.weights for one in lessons]),
    )
    return lightgbm.train({**TREES, "seed": seed}, data, num_boost_round=ROUNDS).model_to_string()
