"""MQ2008 with simulated clicks: four folds, a weak production ranker, and sessions on its pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.clicks import Cascade, ClickModel, PositionBased, TrustBias
from benchmarks.letor import read_letor
from rankers.base import Floats, Judged
from rankers.exposures import Exposures
from rankers.gate import between
from rankers.lambdamart import LambdaMART
from rankers.leaning import Scorer
from rankers.ndcg import debiased_ndcg
from rankers.propensity import Examination

FILES = ("S1.txt", "S2.txt", "S3.txt", "S4.txt")
FEATURES = 46
NAMES = tuple(f"f{i}" for i in range(1, FEATURES + 1))
PAGE = 10
LABELLED = 0.02
"""Share of the training queries whose labels the production ranker has seen."""
ATTRACTION: Final = np.array([0.1, 0.6, 1.0])
"""Click probability of an item that is looked at, by grade."""
BY_TREE: dict[str, Any] = {"colsample": 1.0, "colsample_tree": 0.5}
"""Features drawn for each tree: the settings below were chosen so."""
JUDGED: dict[str, Any] = {**BY_TREE, "n_estimators": 300, "learning_rate": 0.03}
"""Of rankers trained on labels."""
SETTINGS: dict[str, Any] = {
    **BY_TREE,
    "n_estimators": 150,
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_child_samples": 40,
}
"""Of every ranker trained on clicks; chosen on S1, S2 and S3."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Train on some parts, test on another. `production` was trained on few of the train queries;
    `skyline` on the labels of all."""

    name: str
    train: Judged
    test: Judged
    production: LambdaMART
    skyline: LambdaMART

    def quality(self, ranker: Scorer) -> float:
        """Mean nDCG@10 of the test queries that have a relevant document, gain = grade."""
        values = debiased_ndcg(self.test, ranker.score(self.test.features), Examination.even())
        relevant = np.maximum.reduceat(self.test.labels, self.test.starts[:-1]) > 0
        return float(values[relevant].mean())


def click_ranker(debias: bool = False) -> LambdaMART:
    """A ranker to be trained on clicks."""
    return LambdaMART(NAMES, position_debias=debias, **SETTINGS)


def folds(folder: Path, seed: int, *, files: Sequence[str] = FILES) -> list[Fold]:
    """Each file left out in turn."""
    parts = [read_letor(folder / name, features=FEATURES).judged for name in files]
    made = []
    for out, name in enumerate(files):
        train = joined([part for place, part in enumerate(parts) if place != out])
        skyline = LambdaMART(NAMES, **JUDGED)
        skyline.fit(train)
        rng = np.random.default_rng([seed, out])
        made.append(Fold(name, train, parts[out], _production(train, rng), skyline))
    return made


def _production(train: Judged, rng: np.random.Generator) -> LambdaMART:
    production = LambdaMART(NAMES, **JUDGED)
    count = round(LABELLED * train.queries)
    while not production.fitted:  # queries without a relevant document teach nothing
        drawn = np.sort(rng.permutation(train.queries)[:count]).tolist()
        production.fit(joined([between(train, i, i + 1) for i in drawn]))
    return production


def joined(parts: Sequence[Judged]) -> Judged:
    """Several as one, one after the other."""
    sizes = np.concatenate([np.diff(part.starts) for part in parts])
    return Judged(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.positions for part in parts]),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


def queries_of(judged: Judged) -> NDArray[np.int64]:
    """Shape (n,): the query of each row."""
    return np.repeat(np.arange(judged.queries), np.diff(judged.starts))


def orders(judged: Judged, scores: NDArray[np.floating[Any]]) -> list[NDArray[np.int64]]:
    """The rows of each query, best first, ties by row."""
    order = np.lexsort((-scores, queries_of(judged)))
    return np.split(order, judged.starts[1:-1])


def nothing_seen(judged: Judged) -> Exposures:
    """All pairs, none shown."""
    none = np.zeros((judged.labels.size, PAGE))
    return Exposures(judged.features, queries_of(judged), none, none)


def visited(
    judged: Judged,
    pages: Sequence[Sequence[NDArray[np.int64]]],
    sessions: int,
    model: ClickModel,
    rng: np.random.Generator,
) -> Exposures:
    """What `sessions` visits leave: each of a query drawn at random, shown one of its pages.

    `pages`: for every query, the rows of one or several pages, each as likely.
    """
    shown = np.zeros((judged.labels.size, PAGE))
    clicks = np.zeros_like(shown)
    visits = rng.multinomial(sessions, np.full(judged.queries, 1.0 / judged.queries))
    attraction = ATTRACTION[judged.labels.astype(np.int64)]
    for variants, count in zip(pages, visits.tolist(), strict=True):
        split = rng.multinomial(count, np.full(len(variants), 1.0 / len(variants)))
        for rows, times in zip(variants, split.tolist(), strict=True):
            rows, places = rows[:PAGE], np.arange(min(rows.size, PAGE))
            wanted = np.broadcast_to(attraction[rows], (times, rows.size))
            shown[rows, places] += times
            clicks[rows, places] += model.clicks(wanted, rng).sum(axis=0)
    return Exposures(judged.features, queries_of(judged), shown, clicks)


def clicks_a_visit(
    judged: Judged, pages: Sequence[Sequence[NDArray[np.int64]]], curve: Floats
) -> float:
    """Expected clicks on a page, with this examination of its positions."""
    attraction = ATTRACTION[judged.labels.astype(np.int64)]
    return float(
        np.mean(
            [
                np.mean([curve[: rows[:PAGE].size] @ attraction[rows[:PAGE]] for rows in variants])
                for variants in pages
            ]
        )
    )


def click_models(names: Sequence[str], etas: Sequence[float]) -> dict[str, ClickModel]:
    """By their names in the report: those with a severity once for each η."""
    made: dict[str, ClickModel] = {}
    for name in names:
        if name == "cascade":
            made["cascade"] = Cascade()
        for eta in etas:
            if name == "pbm":
                made[f"pbm, η = {eta:g}"] = PositionBased(severity=eta)
            elif name == "trust":
                made[f"trust, η = {eta:g}"] = TrustBias(severity=eta)
    return made


def true_curve(
    model: ClickModel, judged: Judged, pages: Sequence[Sequence[NDArray[np.int64]]]
) -> Floats:
    """Shape (PAGE,): how often each position is looked at, as a share of the first; for the cascade
    on these pages, in the mean."""
    if isinstance(model, PositionBased | TrustBias):
        return np.arange(1, PAGE + 1, dtype=np.float64) ** -model.severity
    attraction = ATTRACTION[judged.labels.astype(np.int64)]
    looked, counted = np.zeros(PAGE), np.zeros(PAGE)
    for variants in pages:
        for rows in variants:
            passed = np.cumprod(1.0 - attraction[rows[:PAGE]])
            reached = np.concatenate([[1.0], passed[:-1]])
            looked[: reached.size] += reached
            counted[: reached.size] += 1
    return np.maximum(looked / np.maximum(counted, 1.0), 1e-3)
