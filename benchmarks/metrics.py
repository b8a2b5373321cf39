"""Measures of each search, by ir-measures, with ties as ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ir_measures
import numpy as np
from ir_measures import RR, Success, nDCG
from numpy.typing import NDArray

from benchmarks.trec import untied

Floats = NDArray[np.float64]
Ranking = Sequence[tuple[str, float]]


def measure_names(k: int) -> tuple[str, ...]:
    """The measures of a page of k, as reports name them."""
    return (f"ndcg@{k}", f"mrr@{k}", "success@1", f"success@{k}")


def measured(
    wanted: Mapping[str, Sequence[str]], rankings: Mapping[str, Ranking], k: int
) -> dict[str, Floats]:
    """{measure: one value a search, in the order of `wanted`} of rankings, best first.

    Every wanted document has grade 1. A search without a ranking scores 0.
    """
    measures = dict(
        zip(measure_names(k), (nDCG @ k, RR @ k, Success @ 1, Success @ k), strict=True)
    )
    qrels = [
        ir_measures.Qrel(search, document, 1)
        for search, some in wanted.items()
        for document in some
    ]
    run = [
        ir_measures.ScoredDoc(search, document, score)
        for search, ranking in rankings.items()
        for (document, _), score in zip(
            ranking, untied([score for _, score in ranking]), strict=True
        )
    ]
    places = {search: place for place, search in enumerate(wanted)}
    names = {str(measure): name for name, measure in measures.items()}
    values = {name: np.zeros(len(places)) for name in measures}
    for metric in ir_measures.iter_calc(list(dict.fromkeys(measures.values())), qrels, run):
        values[names[str(metric.measure)]][places[metric.query_id]] = metric.value
    if k == 1:
        values["success@1"] = values[f"success@{k}"]
    return values
