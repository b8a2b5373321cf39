"""A FAISS index as it is used here: never changed, asked with masks, mapped from its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from retrievers.approximate import SLICE, beside, train
from retrievers.arrays import FileId, file_id, share
from retrievers.base import BoolMask, Scores
from retrievers.half_products import HalfVectors

Stored = NDArray[np.float16]
Floats = NDArray[np.float32]
Positions = NDArray[np.int64]

STRICT = 16
"""How many more than k are asked of FAISS, whose order among equal scores is arbitrary."""


def products(vectors: Floats, query: Floats) -> Scores:
    """The inner product of each vector (n, dim) with the query.

    Not by BLAS, which would wait for a second thread; on the grid the bits are the same.
    """
    found: Scores = np.einsum("ij,j->i", vectors, query)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """Which of `size` positions may be returned: `count` of them, one bit each in `bits`."""

    size: int
    count: int
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, mask: BoolMask) -> Among | None:
        """None where every one may."""
        count = int(np.count_nonzero(mask))
        if count == mask.size:
            return None
        return cls(mask.size, count, np.packbits(mask, bitorder="little"))


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A FAISS index over positions 0..n-1, never changed.

    `recall`: share of the true first 100 it returns, measured when it was trained; 1 where exact.
    `trained`: how many vectors its cells were made from, 0 where exact. `probes`: cells visited.
    `file`: what it is mapped from.
    """

    index: faiss.Index
    recall: float = 1.0
    trained: int = 0
    probes: int = 0
    file: FileId | None = None
    _halves: HalfVectors | None = field(init=False)

    def __post_init__(self) -> None:
        index = self.index
        halves = HalfVectors(index) if isinstance(index, faiss.IndexIVFScalarQuantizer) else None
        object.__setattr__(self, "_halves", halves)

    @classmethod
    def of(cls, vectors: Stored, exact_rows: int, seed: int) -> Self:
        """Exact up to `exact_rows` vectors, approximate above."""
        if len(vectors) > exact_rows:
            index, recall, probes = train(vectors, seed)
            return cls(index, recall, len(vectors), probes)
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors.astype(np.float32))
        return cls(flat)

    def beside(self, vectors: Stored) -> Self:
        """Of other vectors, in an approximate index of the same cells."""
        return replace(self, index=beside(self.index, vectors), file=None)

    def extended(self, vectors: Stored) -> Self:
        """With more vectors in the same cells; its recall stays the one measured."""
        # A clone of a mapped index is a view of the file still, to which FAISS adds nothing.
        index = faiss.deserialize_index(faiss.serialize_index(self.index))
        index.add(vectors.astype(np.float32))
        return replace(self, index=index, file=None)

    @property
    def size(self) -> int:
        """How many vectors it holds."""
        return int(self.index.ntotal)

    def vectors(self, positions: Positions) -> Floats:
        """Shape (n, dim)."""
        found: Floats = self.index.reconstruct_batch(positions)
        return found

    def products(self, query: Floats, positions: Positions) -> Scores:
        """The inner product of each of these vectors with the query (dim,), shape (n,)."""
        if self._halves is not None:
            return self._halves.products(query, positions)
        return products(self.vectors(positions), query)

    def stored(self, positions: Positions) -> Stored:
        """As `vectors`, in half the space and without loss."""
        out = np.empty((len(positions), self.index.d), np.float16)
        for start in range(0, len(positions), SLICE):
            out[start : start + SLICE] = self.vectors(positions[start : start + SLICE])
        return out

    def _parameters(self, among: Among | None) -> faiss.SearchParameters | None:
        """What FAISS is told of the positions allowed.

        A filter that leaves a share s of them widens the cells visited by the power of two at or
        below 1/s: as many vectors are compared as without it, and rare values are still found.
        """
        sel = None if among is None else faiss.IDSelectorBitmap(among.bits)
        if not isinstance(self.index, faiss.IndexIVF):
            return None if sel is None else faiss.SearchParameters(sel=sel)
        probes = self.probes
        if among is not None:
            probes = min(probes << int(np.log2(self.size / among.count)), self.index.nlist)
        return faiss.SearchParametersIVF(sel=sel, nprobe=probes)

    def search(
        self, queries: Floats, k: int, among: Among | None
    ) -> list[tuple[Positions, Scores]]:
        """For each query the k best positions and all that tie with the last, in no set order.

        `among` leaves at least one.
        """
        parameters = self._parameters(among)
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

    def save(self, path: Path) -> dict[str, Any]:
        """Write the index; what is returned is wanted by `load`."""
        if not share(path, self.file):
            faiss.write_index(self.index, str(path))
        return {
            "size": self.size,
            "recall_at_100": self.recall,
            "trained": self.trained,
            "probes": self.probes,
        }

    @classmethod
    def load(cls, path: Path, about: Mapping[str, Any]) -> Self:
        """What `save` wrote, mapped from its file."""
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        return cls(index, about["recall_at_100"], about["trained"], about["probes"], file_id(path))
