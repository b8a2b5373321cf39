"""One space for users, queries and items, learnt from who and what led to which item.

The stacked matrix [users × items; queries × items] of positive pointwise mutual information is
factorised by a truncated SVD, found by randomised subspace iteration (Halko, Martinsson & Tropp
2011, algorithm 4.4). PPMI with contexts smoothed by the power 0.75 is that of Levy, Goldberg &
Dagan (2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from retrievers.arrays import keep, mapped
from retrievers.base import Docs
from retrievers.tally import Floats

Vectors = NDArray[np.float32]
SMOOTHED = 0.75
_OVERSAMPLED = 16
_ITERATIONS = 3
_BLOCK = 1 << 16


def unit(vectors: Vectors) -> Vectors:
    """Rows of length 1, zeros left as they are; shape as given."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = vectors / np.maximum(length, np.float32(1e-12))
    return scaled


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """Column sums of one block, smoothed: what PPMI divides by. `columns` (items,), `total` theirs."""

    columns: Floats
    total: float

    @classmethod
    def of(cls, block: csr_matrix) -> Self:
        """The margins of a users × items or queries × items matrix."""
        return cls.summed(np.asarray(block.sum(axis=0), np.float64).ravel() ** SMOOTHED)

    @classmethod
    def summed(cls, columns: Floats) -> Self:
        """From smoothed sums."""
        return cls(columns, float(columns.sum()))

    def ppmi(self, values: Floats, columns: NDArray[np.integer], row_sums: Floats) -> Floats:
        """max(0, log(v · total / (row sum · column))), shape (n,); 0 in columns never seen."""
        expected = row_sums * self.columns[columns]
        ratio = np.divide(
            values * self.total, expected, out=np.ones(values.size), where=expected > 0
        )
        information: Floats = np.log(np.maximum(ratio, 1.0))
        return information


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Item vectors and what is needed to place users and queries among them.

    `place` (rows,): the line of a row in `items`, -1 where it has none; `items` (n + 1, d), the last
    line zero; `scale` (d,): singular values.
    """

    place: Docs
    items: Vectors
    scale: Floats
    users: Margins
    queries: Margins

    @classmethod
    def none(cls) -> Self:
        """Every vector is zero, of one dimension."""
        zero, margins = np.zeros((1, 1), np.float32), Margins.summed(np.zeros(1))
        return cls(np.empty(0, np.int32), zero, np.ones(1), margins, margins)

    def lines(self, docs: Docs) -> Docs:
        """Lines of rows in `items`; the zero line for those added since the fit. Shape as `docs`."""
        known = docs < self.place.size
        lines = np.full(docs.size, -1, np.int32)
        lines[known] = self.place[docs[known]]
        return lines

    def units(self, docs: Docs) -> Vectors:
        """Vectors of rows at length 1, or zero; shape (n, d)."""
        return unit(self.items[self.lines(docs)])

    def fold(self, docs: Docs, weights: Floats, total: float, block: Margins) -> Vectors:
        """The vector, of length 1, of a user or query with these items; shape (d,).

        `total` is the sum of the weights of all its items, of which these may be a part. For an
        item set the embedding was fitted on, this is its left singular vector.
        """
        lines = self.lines(docs)
        values = block.ppmi(weights, lines, np.full(docs.size, max(total, 1e-12)))
        folded: Vectors = values.astype(np.float32) @ self.items[lines]
        folded /= self.scale.astype(np.float32)
        return unit(folded)

    def save(self, folder: Path) -> None:
        """Write .npy files."""
        np.save(folder / "place.npy", self.place)
        keep(folder / "items.npy", self.items)
        np.save(folder / "scale.npy", self.scale)
        np.save(folder / "user_margins.npy", self.users.columns)
        np.save(folder / "query_margins.npy", self.queries.columns)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        users, queries = (np.load(folder / f"{name}_margins.npy") for name in ("user", "query"))
        return cls(
            np.load(folder / "place.npy"),
            mapped(folder / "items.npy", np.float32),
            np.load(folder / "scale.npy"),
            Margins.summed(users),
            Margins.summed(queries),
        )


def fit(users: csr_matrix, queries: csr_matrix, rank: int, seed: int) -> tuple[Embedding, Vectors]:
    """The embedding of two blocks over the same rows (columns), and the vectors of the queries.

    Values are weights > 0. `rank` is an upper bound of d. Same matrices and seed, same bytes.
    """
    used = np.flatnonzero(
        np.bincount(users.indices, minlength=users.shape[1])
        + np.bincount(queries.indices, minlength=users.shape[1])
    )
    if used.size == 0:
        return Embedding.none(), np.zeros((queries.shape[0], 1), np.float32)
    place = np.full(users.shape[1], -1, np.int32)
    place[used] = np.arange(used.size)
    blocks = [users[:, used].tocsr(), queries[:, used].tocsr()]
    margins = [Margins.of(block) for block in blocks]
    matrix = vstack(
        [_ppmi(block, margin) for block, margin in zip(blocks, margins, strict=True)], format="csr"
    ).astype(np.float32)
    left, scale, right = _truncated_svd(matrix, rank, np.random.default_rng(seed))
    root = np.sqrt(scale)
    items = np.zeros((used.size + 1, scale.size), np.float32)
    items[:-1] = right * root
    # Items and margins share lines, so the zero line has margins of its own, which are 0.
    shared = [Margins.summed(np.append(margin.columns, 0.0)) for margin in margins]
    embedding = Embedding(place, items, scale.astype(np.float64), *shared)
    vectors: Vectors = left[users.shape[0] :] * root
    return embedding, unit(vectors)


def _ppmi(block: csr_matrix, margins: Margins) -> csr_matrix:
    sums = np.asarray(block.sum(axis=1), np.float64).ravel()
    rows = np.repeat(sums, np.diff(block.indptr))
    values = margins.ppmi(block.data.astype(np.float64), block.indices, rows)
    return csr_matrix((values, block.indices, block.indptr), block.shape)


def _truncated_svd(
    matrix: csr_matrix, rank: int, rng: np.random.Generator
) -> tuple[Vectors, Vectors, Vectors]:
    """Left vectors (m, d), singular values (d,) > 0 descending, right vectors (n, d)."""
    width = min(rank + _OVERSAMPLED, *matrix.shape)
    transposed = matrix.T.tocsr()
    basis = _orthonormal(matrix @ rng.standard_normal((matrix.shape[1], width), np.float32))
    for _ in range(_ITERATIONS):
        basis = _orthonormal(matrix @ _orthonormal(transposed @ basis))
    # The singular values and left vectors of the small matrix basis.T @ matrix, by its Gram matrix.
    small = transposed @ basis
    squares, turns = np.linalg.eigh(_gram(small))
    order = np.argsort(-squares, kind="stable")
    scale = np.sqrt(np.maximum(squares[order], 0.0))
    kept = max(int(np.sum(scale[:rank] > 1e-5 * max(float(scale[0]), 1e-12))), 1)
    scale = np.maximum(scale[:kept], 1e-12)
    turn = turns[:, order[:kept]]
    left = basis @ turn.astype(np.float32)
    right = small @ (turn / scale).astype(np.float32)
    return left, scale.astype(np.float32), right


def _gram(tall: Vectors) -> Floats:
    """tall.T @ tall, summed in double precision, a block of rows at a time."""
    total = np.zeros((tall.shape[1], tall.shape[1]))
    for start in range(0, tall.shape[0], _BLOCK):
        rows = tall[start : start + _BLOCK].astype(np.float64)
        total += rows.T @ rows
    return total


def _orthonormal(tall: Vectors) -> Vectors:
    """Orthonormal columns that span those of `tall` (n, d), by the eigenvectors of its Gram matrix: for
    n far above d several times faster than a QR decomposition. A column a basis lacks, where `tall`
    has not full rank to single precision, is zero."""
    squares, turns = np.linalg.eigh(_gram(tall))
    full = squares > 1e-12 * max(float(squares[-1]), 1e-300)
    weights = np.where(full, 1.0 / np.sqrt(np.where(full, squares, 1.0)), 0.0)
    return tall @ (turns * weights).astype(np.float32)
