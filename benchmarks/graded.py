"""Judged queries, answered by a state without anything being logged, and measured by their grades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
from ir_measures import RR, nDCG
from numpy.typing import NDArray

from benchmarks.judgements import Qrels
from benchmarks.trec import untied
from engine.answering import Answer, answer, generator_of, on_the_hour
from engine.catalog import Catalog
from engine.config import EngineConfig
from engine.state import State
from rankers.base import Judged
from retrievers.base import Context, Docs, Query
from retrievers.candidates import Candidates

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A judged query. `docs` (n,), ascending, `grades` (n,): the judged rows of the catalogue;
    `judged`: {document: grade}, those that the catalogue lacks included."""

    id: str
    query: Query
    docs: Docs
    grades: Floats
    judged: Mapping[str, int]

    def labels(self, docs: Docs) -> Floats:
        """Shape (n,): the grade of each row, 0 where it is not judged or below 0."""
        labels = np.zeros(docs.size)
        if self.docs.size:
            place = np.minimum(np.searchsorted(self.docs, docs), self.docs.size - 1)
            labels = np.where(self.docs[place] == docs, self.grades[place], 0.0)
        return np.maximum(labels, 0.0)

    def recall(self, docs: Docs) -> float:
        """Share of the rows of a grade above 0 that are among these; 0 where there are none."""
        wanted = self.docs[self.grades > 0]
        return float(np.isin(wanted, docs).mean()) if wanted.size else 0.0


def questions(
    qrels: Qrels, texts: Mapping[str, str], catalog: Catalog, now: float
) -> list[Question]:
    """Judged queries as somebody without a history would ask them at a time (POSIX seconds)."""
    context = Context(time=on_the_hour(now))
    made = []
    for id, judged in qrels.items():
        known = sorted(
            (row, grade)
            for document, grade in judged.items()
            if (row := catalog.row(document)) is not None
        )
        docs = np.array([row for row, _ in known], np.int32)
        grades = np.array([grade for _, grade in known], np.float64)
        made.append(Question(id, Query(texts[id], context, texts[id]), docs, grades, judged))
    return made


def served(state: State, config: EngineConfig, question: Question) -> Answer:
    """What the engine answers, exploration included; nothing is logged or learnt."""
    query = question.query
    rng = generator_of(config.seed, state.version, query.typed, query.context)
    return answer(state, config, query, rng)


def labelled(answered: Iterable[tuple[Question, Candidates, NDArray[np.float32]]]) -> Judged:
    """Candidates with their features as rows to train on, labelled by grade."""
    features, labels, starts = [], [], [0]
    for question, candidates, columns in answered:
        features.append(columns)
        labels.append(question.labels(candidates.docs))
        starts.append(starts[-1] + len(candidates))
    label = np.concatenate(labels)
    return Judged(
        np.concatenate(features),
        label,
        np.ones(label.size),
        np.zeros(label.size, np.int32),
        np.array(starts, np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What a system shows: rows and scores, best first; the rows it chose from are summed up in
    `recall` of the relevant ones and the number of `candidates`."""

    docs: Docs
    scores: NDArray[np.float32]
    recall: float
    candidates: int


def page(question: Question, candidates: Candidates, scores: NDArray[np.floating], k: int) -> Page:
    """The k best candidates; ties by row."""
    first = np.lexsort((candidates.docs, -scores))[:k]
    return Page(
        candidates.docs[first],
        scores[first].astype(np.float32),
        question.recall(candidates.docs),
        len(candidates),
    )


def measure_names(k: int) -> tuple[str, ...]:
    """The measures of a page of k, as reports name them."""
    return (f"ndcg@{k}", f"mrr@{k}", "candidate_recall", "candidates_mean")


def measured(
    asked: Sequence[Question], pages: Sequence[Page], catalog: Catalog, k: int
) -> dict[str, Floats]:
    """{measure: one value a question, in order}, the first two by ir-measures.

    nDCG's gain is the grade; MRR counts any grade above 0. What is unjudged has grade 0; a
    question without anything relevant scores 0.
    """
    names = measure_names(k)
    qrels = [
        ir_measures.Qrel(one.id, document, max(grade, 0))
        for one in asked
        for document, grade in one.judged.items()
    ]
    run = [
        ir_measures.ScoredDoc(one.id, catalog.id(row), score)
        for one, made in zip(asked, pages, strict=True)
        for row, score in zip(made.docs.tolist(), untied(made.scores.tolist()), strict=True)
    ]
    places = {one.id: place for place, one in enumerate(asked)}
    values = {name: np.zeros(len(places)) for name in names[:2]}
    keys = {str(nDCG @ k): names[0], str(RR @ k): names[1]}
    for metric in ir_measures.iter_calc([nDCG @ k, RR @ k], qrels, run):
        values[keys[str(metric.measure)]][places[metric.query_id]] = metric.value
    values[names[2]] = np.array([made.recall for made in pages])
    values[names[3]] = np.array([float(made.candidates) for made in pages])
    return values
