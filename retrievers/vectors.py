"""An immutable index of unit vectors: a FAISS index shared between versions, and what came after.

The vectors lie on the grid of `retrievers.encoder`, so every inner product is exact: FAISS, a
matrix product and one dot product agree to the bit, and only equal scores tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from retrievers.approximate import SLICE, train
from retrievers.base import BoolMask, Docs, Hits, Scores
from retrievers.topk import best

Stored = NDArray[np.float16]
Floats = NDArray[np.float32]
Positions = NDArray[np.int64]

DELTA_ROWS, DELTA_SHARE = 1024, 1 / 50
"""Rows kept outside the FAISS index and multiplied out: at most the larger of number and share."""
STRICT = 16
"""How many more than k are asked of FAISS, whose order among equal scores is arbitrary."""


def _products(vectors: Floats, query: Floats) -> Scores:
    """The inner product of each vector (n, dim) with the query.

    Not by BLAS, which would wait for a second thread; on the grid the bits are the same.
    """
    products: Scores = np.einsum("ij,j->i", vectors, query)
    return products


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A FAISS index over positions 0..n-1, never changed.

    `recall`: share of the true first 100 it returns, measured when it was trained; 1 where exact.
    `trained`: how many vectors its cells were made from, 0 where exact. `probes`: cells visited.
    """

    index: faiss.Index
    recall: float = 1.0
    trained: int = 0
    probes: int = 0

    @classmethod
    def of(cls, vectors: Stored, exact_rows: int, seed: int) -> Self:
        """Exact up to `exact_rows` vectors, approximate above."""
        if len(vectors) > exact_rows:
            index, recall, probes = train(vectors, seed)
            return cls(index, recall, len(vectors), probes)
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors.astype(np.float32))
        return cls(flat)

    def extended(self, vectors: Stored) -> Self:
        """With more vectors in the same cells; its recall stays the one measured."""
        index = faiss.clone_index(self.index)
        index.add(vectors.astype(np.float32))
        return replace(self, index=index)

    @property
    def size(self) -> int:
        """How many vectors it holds."""
        return int(self.index.ntotal)

    def vectors(self, positions: Positions) -> Floats:
        """Shape (n, dim)."""
        found: Floats = self.index.reconstruct_batch(positions)
        return found

    def stored(self, positions: Positions) -> Stored:
        """As `vectors`, in half the space and without loss."""
        out = np.empty((len(positions), self.index.d), np.float16)
        for start in range(0, len(positions), SLICE):
            out[start : start + SLICE] = self.vectors(positions[start : start + SLICE])
        return out

    def _parameters(self, mask: BoolMask | None) -> faiss.SearchParameters | None:
        """What FAISS is told of the positions allowed.

        A filter that leaves a share s of them widens the cells visited by the power of two at or
        below 1/s: as many vectors are compared as without it, and rare values are still found.
        """
        sel = None if mask is None else faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        if not isinstance(self.index, faiss.IndexIVF):
            return None if sel is None else faiss.SearchParameters(sel=sel)
        probes = self.probes
        if mask is not None:
            share = np.count_nonzero(mask) / self.size
            probes = min(probes << int(np.log2(1 / share)), self.index.nlist)
        return faiss.SearchParametersIVF(sel=sel, nprobe=probes)

    def search(
        self, queries: Floats, k: int, mask: BoolMask | None
    ) -> list[tuple[Positions, Scores]]:
        """For each query the k best positions and all that tie with the last, in no set order.

        `mask`, over positions, leaves at least one.
        """
        parameters = self._parameters(mask)
        # Cells are chosen by centroids, which lie off the grid: a batch might round them otherwise
        # than a single query, so an approximate index is asked one by one.
        batches = [queries] if not self.trained else [query[None] for query in queries]
        found: list[tuple[Positions, Scores]] = []
        for batch in batches:
            asked = min(k + STRICT, self.size)
            scores, positions = self.index.search(batch, asked, params=parameters)
            for query, value, at in zip(batch, scores, positions, strict=True):
                while at.size < self.size and at[-1] >= 0 and value[-1] == value[k - 1]:
                    deeper = min(4 * at.size, self.size)
                    deep = self.index.search(query[None], deeper, params=parameters)
                    value, at = deep[0][0], deep[1][0]
                found.append((at[at >= 0], value[at >= 0]))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """Vectors under ascending rows. A change gives a new index; the old one answers as before.

    `rows` (n,) and `alive` (n,) run over positions: those of `base`, then those of `delta` (m, dim).
    """

    exact_rows: int
    seed: int
    rows: Docs
    alive: BoolMask
    delta: Floats
    base: Base | None = None

    @classmethod
    def empty(cls, dim: int, exact_rows: int, seed: int) -> Self:
        """An index of no vectors."""
        nothing = np.empty((0, dim), np.float32)
        return cls(exact_rows, seed, np.empty(0, np.int32), np.empty(0, np.bool_), nothing)

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return int(self.delta.shape[1])

    @property
    def recall(self) -> float:
        """Measured recall of the first 100 against the exact answer; 1 where the index is exact."""
        return 1.0 if self.base is None else self.base.recall

    @property
    def _based(self) -> int:
        return 0 if self.base is None else self.base.size

    def plus(self, rows: Docs, vectors: Stored) -> Self:
        """With `vectors` (n, dim) under new rows, ascending and above all others."""
        grown = replace(
            self,
            rows=np.concatenate([self.rows, rows]),
            alive=np.concatenate([self.alive, np.ones(len(rows), np.bool_)]),
        )
        based = self._based
        if len(self.delta) + len(vectors) <= max(DELTA_ROWS, int(based * DELTA_SHARE)):
            delta = np.concatenate([self.delta, vectors.astype(np.float32)])
            return replace(grown, delta=delta)
        late = np.concatenate([self.delta.astype(np.float16), vectors])
        nothing = np.empty((0, self.dim), np.float32)
        base = self.base
        if base is not None and base.trained and len(grown.rows) <= 2 * base.trained:
            return replace(grown, base=base.extended(late), delta=nothing)
        # Built anew, and so without the vectors of removed rows.
        stays = grown.alive
        kept = late[stays[based:]]
        if base is not None:
            kept = np.concatenate([base.stored(np.flatnonzero(stays[:based])), kept])
        return replace(
            grown,
            rows=grown.rows[stays],
            alive=stays[stays],
            base=Base.of(kept, self.exact_rows, self.seed),
            delta=nothing,
        )

    def minus(self, rows: Docs) -> Self:
        """Without these rows; those unknown are passed over."""
        positions, known = self._find(rows)
        alive = self.alive.copy()
        alive[positions[known]] = False
        return replace(self, alive=alive)

    def _find(self, rows: Docs) -> tuple[Positions, BoolMask]:
        """The position of each row, and whether it is there and alive."""
        if self.rows.size == 0:
            return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
        positions = np.minimum(np.searchsorted(self.rows, rows), self.rows.size - 1)
        return positions, (self.rows[positions] == rows) & self.alive[positions]

    def _mask(self, allowed: BoolMask | None) -> BoolMask | None:
        """Over positions; None where every one may be returned."""
        whole = bool(self.alive.all())
        if allowed is None:
            return None if whole else self.alive
        last = int(self.rows[-1])
        if allowed.shape != (max(allowed.size, last + 1),):
            raise ValueError(
                f"allowed: found shape {allowed.shape}, expected one flag a row of the catalogue, "
                f"at least ({last + 1},). It may have been made before the last `add`"
            )
        n = self.rows.size
        here = allowed[:n] if last == n - 1 else allowed[self.rows]
        return here if whole else here & self.alive

    def search(self, queries: Floats, k: int, allowed: BoolMask | None = None) -> list[Hits]:
        """For each query (n, dim) the k best rows by inner product, ties by row."""
        if k <= 0 or self.rows.size == 0:
            return [Hits.none() for _ in queries]
        based = self._based
        mask = self._mask(allowed)
        nothing = (np.empty(0, np.int64), np.empty(0, np.float32))
        early = [nothing] * len(queries)
        if self.base is not None and (mask is None or mask[:based].any()):
            early = self.base.search(queries, k, None if mask is None else mask[:based])
        late = slice(None) if mask is None else np.flatnonzero(mask[based:])
        answers = []
        for query, (positions, scores) in zip(queries, early, strict=True):
            docs = np.concatenate([self.rows[positions], self.rows[based:][late]])
            scores = np.concatenate([scores, _products(self.delta[late], query)])
            answers.append(best(docs, scores, k))
        return answers

    def products(self, query: Floats, docs: Docs) -> Scores:
        """The inner product with each of these rows, shape (n,); NaN where a row is not indexed."""
        positions, known = self._find(docs)
        products = np.full(len(docs), np.nan, np.float32)
        late = known & (positions >= self._based)
        products[late] = _products(self.delta[positions[late] - self._based], query)
        early = known & (positions < self._based)
        if self.base is not None and early.any():
            products[early] = _products(self.base.vectors(positions[early]), query)
        return products

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the arrays; what is returned belongs into a manifest and is wanted by `load`."""
        np.save(folder / "rows.npy", self.rows)
        np.save(folder / "alive.npy", self.alive)
        np.save(folder / "delta.npy", self.delta.astype(np.float16))
        base = self.base
        if base is not None:
            faiss.write_index(base.index, str(folder / "base.faiss"))
        return {
            "dim": self.dim,
            "exact_rows": self.exact_rows,
            "seed": self.seed,
            "base": self._based,
            "recall_at_100": self.recall,
            "trained": 0 if base is None else base.trained,
            "probes": 0 if base is None else base.probes,
        }

    @classmethod
    def load(cls, folder: Path, manifest: Mapping[str, Any]) -> Self:
        """Read what `save` wrote."""
        rows, alive, delta = (
            np.load(folder / f"{name}.npy", allow_pickle=False)
            for name in ("rows", "alive", "delta")
        )
        base = None
        if manifest["base"]:
            index = faiss.read_index(str(folder / "base.faiss"))
            base = Base(index, manifest["recall_at_100"], manifest["trained"], manifest["probes"])
        loaded = cls(
            manifest["exact_rows"], manifest["seed"], rows, alive, delta.astype(np.float32), base
        )
        found = (loaded._based + len(delta), len(alive), loaded._based, loaded.dim)
        expected = (len(rows), len(rows), manifest["base"], manifest["dim"])
        if found != expected:
            raise ValueError(
                f"{folder}: found (vectors, flags, vectors of the base, dimensions) {found}, "
                f"expected {expected}. Its files are of different saves, or one was cut short"
            )
        return loaded
