"""The embedding of users, queries and items that `personal` looks for neighbours in."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from retrievers.base import Docs
from retrievers.coconsumption import Embedding, fit


def blocks(seed: int) -> tuple[csr_matrix, csr_matrix]:
    rng = np.random.default_rng(seed)
    dense = [(rng.random((n, 15)) < 0.3) * rng.random((n, 15)) for n in (12, 9)]
    return csr_matrix(dense[0]), csr_matrix(dense[1])


def test_the_embedding_is_the_svd_of_ppmi() -> None:
    users, queries = blocks(1)
    embedding, _ = fit(users, queries, 5, seed=0)
    parts = []
    for block in (users, queries):
        counts = block.toarray()
        context = counts.sum(axis=0) ** 0.75
        with np.errstate(divide="ignore", invalid="ignore"):
            pmi = np.log(counts * context.sum() / np.outer(counts.sum(axis=1), context))
        parts.append(np.where(counts > 0, np.maximum(pmi, 0), 0))
    _, scale, right = np.linalg.svd(np.vstack(parts), full_matrices=False)
    np.testing.assert_allclose(embedding.scale, scale[:5], rtol=1e-4)
    found = embedding.items[embedding.lines(np.arange(15, dtype=np.int32))]
    expected = right[:5].T * np.sqrt(scale[:5])
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-3)


def test_folding_in_gives_the_vector_of_the_fit() -> None:
    users, queries = blocks(2)
    embedding, vectors = fit(users, queries, 6, seed=0)
    for row in range(queries.shape[0]):
        part = slice(queries.indptr[row], queries.indptr[row + 1])
        docs, weights = queries.indices[part].astype(np.int32), queries.data[part]
        folded = embedding.fold(docs, weights, float(weights.sum()), embedding.queries)
        np.testing.assert_allclose(folded, vectors[row], atol=1e-4)


def test_items_of_few_tastes_need_no_more_dimensions() -> None:
    """A matrix of rank two, factorised with room for six: the rest is left out, and nothing is NaN."""
    taste = np.kron(np.eye(2), np.ones((8, 5)))
    embedding, vectors = fit(csr_matrix(taste), csr_matrix(taste[::4]), 6, seed=0)
    assert embedding.scale.size == 2
    units = embedding.units(np.arange(11, dtype=np.int32))  # the last one is not known
    near = units @ units[:-1].T
    np.testing.assert_allclose(near[:-1], np.kron(np.eye(2), np.ones((5, 5))), atol=1e-5)
    assert np.isfinite(vectors).all()


def test_rows_after_the_fit_have_no_vector() -> None:
    embedding, _ = fit(*blocks(3), 4, seed=0)
    assert embedding.lines(np.array([3, 99], np.int32)).tolist() == [3, -1]
    assert not embedding.items[-1].any()
    nothing = Embedding.none()
    docs: Docs = np.array([5], np.int32)
    assert not nothing.fold(docs, np.ones(1), 1.0, nothing.users).any()
