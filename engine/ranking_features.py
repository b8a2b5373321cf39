"""The ranker's columns: provenance, what generators tell of a pair, document, query and user."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.catalog import Catalog
from engine.names import Names
from engine.query_features import X_NAMES, QueryFacts
from retrievers.base import Describes, Query, Retriever
from retrievers.candidates import Candidates

Features = NDArray[np.float32]

SET_COLUMNS = ("found_by", "reciprocal_ranks")
DOCUMENT_COLUMNS = ("is_named", "title_words", "type", "newness")
QUERY_COLUMNS = tuple(f"query.{name}" for name in X_NAMES[: X_NAMES.index("weekend")])


def column_names(retrievers: Mapping[str, Retriever]) -> tuple[str, ...]:
    """All columns, in order, for these generators.

    `<generator>.rank` is 0-based and NaN where the generator did not return the document;
    `<column>.place` is the document's place among the candidates by that column, from 0 = best
    to 1, which makes raw scores of different queries comparable.
    """
    described = [
        f"{name}.{feature}"
        for name, retriever in retrievers.items()
        if isinstance(retriever, Describes)
        for feature in retriever.feature_names
    ]
    scores = [f"{name}.score" for name in retrievers]
    return (
        *scores,
        *(f"{name}.rank" for name in retrievers),
        *(f"{name}.depth" for name in retrievers),
        *described,
        *(f"{name}.place" for name in (*scores, *described)),
        *SET_COLUMNS,
        *DOCUMENT_COLUMNS,
        *QUERY_COLUMNS,
    )


def places(columns: Features) -> Features:
    """Each value's place within its column, 0 = highest … 1 = lowest; NaN stays NaN; ties share.

    Shape (n, m) in and out.
    """
    n, m = columns.shape
    out = np.full((n, m), np.nan, np.float32)
    if n == 0:
        return out
    keys = np.where(np.isnan(columns), -np.inf, columns)
    order = np.argsort(-keys, axis=0, kind="stable")
    ranked = np.take_along_axis(keys, order, axis=0)
    fresh = np.ones((n, m), bool)
    fresh[1:] = ranked[1:] != ranked[:-1]
    first = np.maximum.accumulate(np.where(fresh, np.arange(n)[:, None], 0), axis=0)
    np.put_along_axis(out, order, (first / max(n - 1, 1)).astype(np.float32), axis=0)
    out[np.isnan(columns)] = np.nan
    return out


def ranking_features(
    query: Query,
    facts: QueryFacts,
    candidates: Candidates,
    retrievers: Mapping[str, Retriever],
    catalog: Catalog,
    names: Names,
    notes: list[str],
) -> Features:
    """Shape (n, len(column_names(retrievers))). A generator that can't describe the candidates leaves
    its columns unknown and a line in `notes`."""
    docs = candidates.docs
    n = docs.size
    ranks = np.where(candidates.ranks < 0, np.nan, candidates.ranks).astype(np.float32)
    described: list[Features] = []
    for name, retriever in retrievers.items():
        if isinstance(retriever, Describes):
            try:
                described.append(retriever.describe(query, docs))
            except Exception as e:
                notes.append(f"{name}: could not describe the candidates ({type(e).__name__}: {e})")
                unknown = np.full((n, len(retriever.feature_names)), np.nan, np.float32)
                described.append(unknown)
    raw = np.concatenate([candidates.scores, *described], axis=1)
    found = candidates.ranks >= 0
    per_query = np.concatenate(
        [candidates.depths.astype(np.float32), facts.x[: len(QUERY_COLUMNS)].astype(np.float32)]
    )
    repeated = np.broadcast_to(per_query, (n, per_query.size))
    s = candidates.depths.size
    reciprocal = np.where(found, 1.0 / (61.0 + candidates.ranks), 0.0).sum(axis=1)
    document = np.stack(
        [
            found.sum(axis=1),
            reciprocal,
            names.titles[docs] == np.uint64(facts.hashed),
            names.words[docs],
            catalog.types[docs],
            docs / max(catalog.rows, 1),
        ],
        axis=1,
    ).astype(np.float32)
    return np.concatenate(
        [
            candidates.scores,
            ranks,
            repeated[:, :s],
            raw[:, s:],
            places(raw),
            document,
            repeated[:, s:],
        ],
        axis=1,
    ).astype(np.float32, copy=False)
