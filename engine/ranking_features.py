"""The ranker's columns: provenance, what generators tell of a pair, document, query and user."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeGuard

import numpy as np
from numba import njit
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


def describes(retriever: Retriever) -> TypeGuard[Describes]:
    """Whether it is a `Describes`. `isinstance` on a protocol took a twentieth of a search."""
    return hasattr(retriever, "describe") and hasattr(retriever, "feature_names")


def column_names(retrievers: Mapping[str, Retriever]) -> tuple[str, ...]:
    """All columns, in order, for these generators.

    `<generator>.rank` is 0-based and NaN where the generator did not return the document;
    `<column>.place` is the document's place among the candidates by that column, from 0 = best
    to 1, which makes raw scores of different queries comparable.
    """
    return _columns(
        tuple(
            (name, tuple(r.feature_names) if describes(r) else ()) for name, r in retrievers.items()
        )
    )


@lru_cache(maxsize=64)
def _columns(generators: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[str, ...]:
    """Of generators by name, each with the names of what it describes."""
    described = [f"{name}.{feature}" for name, features in generators for feature in features]
    retrievers = [name for name, _ in generators]
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
    by_column = np.ascontiguousarray(columns.T, np.float32)
    # NaN sorts behind everything, so that the values of a column are at the front.
    return _places(by_column, np.sort(by_column, axis=1))


@njit(nogil=True, cache=True)
def _places(columns: Features, ascending: Features) -> Features:
    """Shape (n, m) for columns (m, n): how many known values are above each, as a share."""
    m, n = columns.shape
    out = np.full((n, m), np.nan, np.float32)
    for column in range(m):
        values = ascending[column]
        known = n
        while known > 0 and np.isnan(values[known - 1]):
            known -= 1
        for row in range(n):
            value = columns[column, row]
            if not np.isnan(value):
                above = known - np.searchsorted(values[:known], value, side="right")
                out[row, column] = above / max(n - 1, 1)
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
        if describes(retriever):
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
