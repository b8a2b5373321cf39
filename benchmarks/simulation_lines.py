"""The lines a simulation is read against: what else could have answered the same queries.

    <generator>    alone, at full depth
    rrf, minmax    the pair of words and meaning at full depth, fused; of minmax, with the weights that
                   are best on the grades of the queries to learn from
    rrf_all, minmax_all    all generators, so fused
    graded_pair    LambdaMART on the pair's union, trained on those grades
    graded         the engine as it is at the end, with its LambdaMART trained on those grades
    graded_unclicked    the same where generators know of no click, in training and when measured
    best_weight    the pair's min-max fusion with the best weight of each query, which reads the grades
                   of the query it answers: an upper line

Generators that learn are in `rrf_all`, `minmax_all` and alone as they are at the end.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.graded import Page, Question, labelled, page, served
from benchmarks.simulation import Simulated
from engine.answering import Answer
from engine.config import EngineConfig
from engine.full_answers import FullAnswers
from engine.parts import make_ranker
from engine.ranking_features import column_names
from engine.state import State
from engine.tallies import Tallies
from rankers.base import Ranker
from rankers.minmax import MinMaxFusion
from rankers.rrf import ReciprocalRankFusion
from retrievers.base import Hits
from retrievers.candidates import Candidates, union

PAIR = ("bm25", "dense")
"""Words and meaning: the two generators that are fused where the engine has both."""
WEIGHTS = np.linspace(0.0, 1.0, 21)
"""Shares of the second of the pair among which `best_weight` chooses for each query."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A judged query with what every generator returns at full depth."""

    question: Question
    hits: tuple[Hits, ...]


def ask(state: State, questions: Sequence[Question]) -> list[Asked]:
    """All generators in full."""
    asking = FullAnswers(state)
    return [Asked(one, tuple(asking(one.query))) for one in questions]


def every_line(
    made: Simulated,
    learn: Sequence[Question],
    report: Sequence[Question],
    k: int,
    progress: bool = False,
) -> Iterator[tuple[str, list[Page]]]:
    """(system, pages on the queries to report on), the engine first."""
    state, config = made.state, made.config
    names = tuple(state.retrievers)
    ours = answered(state, config, report, progress)
    yield "ltrr", ranked(None, ours, k)
    ranker = graded_ranker(state, config, answered(state, config, learn, progress))
    yield "graded", ranked(ranker, ours, k)
    plain = unclicked(state, made.begun)
    ranker = graded_ranker(plain, config, answered(plain, config, learn, progress))
    yield "graded_unclicked", ranked(ranker, answered(plain, config, report, progress), k)
    known, asked = ask(state, learn), ask(state, report)
    for name in names:
        yield name, alone(name, state, asked, k)
    if all(name in names for name in PAIR):
        yield "rrf", reciprocal(PAIR, state, asked, k)
        yield "minmax", min_max(PAIR, state, known, asked, k)
        yield "graded_pair", graded_pair(PAIR, state, config, known, asked, k)
        yield "best_weight", best_weight(PAIR, state, asked, k)
    yield "rrf_all", reciprocal(names, state, asked, k)
    yield "minmax_all", min_max(names, state, known, asked, k)


def unclicked(final: State, begun: State) -> State:
    """The final state, but for what is known of single queries and items from their clicks: generators
    as they began, every query a new one.

    So a judged query is answered like those to report on. With the clicks on it in its features a
    ranker may learn to follow them, and find none where it is measured.
    """
    statistics = copy.copy(final.statistics)
    statistics.queries = Tallies(len(final.retrievers), final.ladder.size)
    return replace(final, retrievers=begun.retrievers, statistics=statistics)


def fused(names: Sequence[str], state: State, asked: Asked) -> Candidates:
    """The union of some generators at full depth."""
    places = [list(state.retrievers).index(name) for name in names]
    full = int(state.ladder[-1])
    return union(names, [full] * len(places), [asked.hits[place] for place in places])


def alone(name: str, state: State, asked: Sequence[Asked], k: int) -> list[Page]:
    """One generator at full depth, in its own order."""
    pages = []
    for one in asked:
        candidates = fused([name], state, one)
        pages.append(page(one.question, candidates, candidates.scores[:, 0], k))
    return pages


def reciprocal(names: Sequence[str], state: State, asked: Sequence[Asked], k: int) -> list[Page]:
    """Reciprocal rank fusion, unweighted; its constant is 60."""
    ranker = ReciprocalRankFusion(tuple(f"{name}.rank" for name in names))
    pages = []
    for one in asked:
        candidates = fused(names, state, one)
        pages.append(page(one.question, candidates, ranker.score(_ranks(candidates)), k))
    return pages


def min_max(
    names: Sequence[str], state: State, learn: Sequence[Asked], asked: Sequence[Asked], k: int
) -> list[Page]:
    """Min-max fusion with the weights that are best on the queries to learn from."""
    ranker = MinMaxFusion(tuple(f"{name}.score" for name in names))
    known = ((one.question, fused(names, state, one)) for one in learn)
    ranker.fit(labelled((question, found, found.scores) for question, found in known))
    pages = []
    for one in asked:
        candidates = fused(names, state, one)
        pages.append(page(one.question, candidates, ranker.score(candidates.scores), k))
    return pages


def best_weight(names: Sequence[str], state: State, asked: Sequence[Asked], k: int) -> list[Page]:
    """Min-max fusion of two with the weight, of `WEIGHTS`, under which a query's DCG is highest."""
    columns = tuple(f"{name}.score" for name in names)
    rankers = [
        MinMaxFusion(columns, weights=dict(zip(names, (1.0 - w, w), strict=True))) for w in WEIGHTS
    ]
    pages = []
    for one in asked:
        candidates = fused(names, state, one)
        tried = [page(one.question, candidates, r.score(candidates.scores), k) for r in rankers]
        gained = [
            float((one.question.labels(p.docs) / np.log2(np.arange(p.docs.size) + 2.0)).sum())
            for p in tried
        ]
        pages.append(tried[int(np.argmax(gained))])
    return pages


def graded_pair(
    names: Sequence[str],
    state: State,
    config: EngineConfig,
    learn: Sequence[Asked],
    asked: Sequence[Asked],
    k: int,
) -> list[Page]:
    """LambdaMART with the engine's settings on scores and ranks alone, trained on grades."""
    columns = tuple(f"{name}.{part}" for part in ("score", "rank") for name in names)

    def features(candidates: Candidates) -> NDArray[np.float32]:
        return np.concatenate([candidates.scores, _ranks(candidates)], axis=1)

    ranker = make_ranker(config, columns)
    known = ((one.question, fused(names, state, one)) for one in learn)
    ranker.fit(labelled((question, found, features(found)) for question, found in known))
    pages = []
    for one in asked:
        candidates = fused(names, state, one)
        pages.append(page(one.question, candidates, ranker.score(features(candidates)), k))
    return pages


def graded_ranker(
    state: State, config: EngineConfig, answered: Sequence[tuple[Question, Answer]]
) -> Ranker:
    """The engine's LambdaMART, trained on the grades of queries as they are answered."""
    ranker = make_ranker(config, column_names(state.retrievers))
    ranker.fit(labelled((one, made.candidates, made.features) for one, made in answered))
    return ranker


def answered(
    state: State, config: EngineConfig, questions: Sequence[Question], progress: bool
) -> list[tuple[Question, Answer]]:
    """Each question with what the engine answers on a state."""
    bar = tqdm(questions, desc="answering", unit=" queries", disable=not progress)
    return [(one, served(state, config, one)) for one in bar]


def ranked(ranker: Ranker | None, made: Sequence[tuple[Question, Answer]], k: int) -> list[Page]:
    """Pages of answers, by another ranker where one is given."""
    return [
        page(
            one,
            found.candidates,
            found.scores if ranker is None else ranker.score(found.features),
            k,
        )
        for one, found in made
    ]


def _ranks(candidates: Candidates) -> NDArray[np.float32]:
    return np.where(candidates.ranks < 0, np.nan, candidates.ranks).astype(np.float32)
