"""An immutable index of unit vectors: FAISS indexes shared between versions, and what came after.

The vectors lie on the grid of `retrievers.encoder`, so every inner product is exact: FAISS, a
matrix product and one dot product agree to the bit, and only equal scores tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np

from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Hits, Scores
from retrievers.topk import best
from retrievers.vector_base import Among, Base, Floats, Positions, Stored, products

_Chosen: TypeAlias = tuple[Among | None, Among | None, Positions | None]
"""What may be returned of base, side and delta; None for all of a part."""

DELTA_ROWS, DELTA_SHARE = 1024, 1 / 50
"""Rows multiplied out one by one: at most the larger of number and share beside an exact index, the
number beside an approximate one, where blocks of so many go into `side`."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """Vectors under ascending rows. A change gives a new index; the old one answers as before.

    `rows` (n,) and `alive` (n,) run over positions: those of `base`, those of `side`, then those of
    `delta` (m, dim). `side` has what came after an approximate base, in the cells of that, so that
    neither is copied when a few vectors are added.
    """

    exact_rows: int
    seed: int
    rows: Docs
    alive: BoolMask
    delta: Floats
    base: Base | None = None
    side: Base | None = None
    living: _Chosen = field(init=False)
    """What was not removed, of each part."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "living", self._chosen(self.alive))

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

    @property
    def _indexed(self) -> int:
        return self._based + (0 if self.side is None else self.side.size)

    def plus(self, rows: Docs, vectors: Stored) -> Self:
        """With `vectors` (n, dim) under new rows, ascending and above all others."""
        grown = replace(
            self,
            rows=np.concatenate([self.rows, rows]),
            alive=np.concatenate([self.alive, np.ones(len(rows), np.bool_)]),
        )
        late = len(self.delta) + len(vectors)
        base = self.base
        if base is not None and base.trained:
            moving = late - late % DELTA_ROWS
            if not moving or len(grown.rows) <= 2 * base.trained:
                return grown._with_late(vectors, moving)
        elif late <= max(DELTA_ROWS, int(self._based * DELTA_SHARE)):
            return grown._with_late(vectors, 0)
        return grown._built(vectors)

    def _with_late(self, vectors: Stored, moving: int) -> Self:
        """With the vectors of its last rows, the first `moving` of what is late in `side`."""
        if not moving:
            delta = np.concatenate([self.delta, vectors.astype(np.float32)])
            return replace(self, delta=delta)
        late = np.concatenate([self.delta.astype(np.float16), vectors])
        side, block = self.side, late[:moving]
        if side is not None:
            side = side.extended(block)
        elif self.base is not None:
            side = self.base.beside(block)
        return replace(self, side=side, delta=late[moving:].astype(np.float32))

    def _built(self, vectors: Stored) -> Self:
        """Built anew with the vectors of its last rows, and without those of removed rows."""
        stays = self.alive
        kept = np.concatenate([self._stored(), vectors])[stays]
        return replace(
            self,
            rows=self.rows[stays],
            alive=stays[stays],
            base=Base.of(kept, self.exact_rows, self.seed),
            side=None,
            delta=np.empty((0, self.dim), np.float32),
        )

    def _stored(self) -> Stored:
        """All vectors, by position."""
        parts = [one.stored(np.arange(one.size)) for one in (self.base, self.side) if one]
        return np.concatenate([*parts, self.delta.astype(np.float16)])

    def anew(self) -> Self:
        """As if the vectors that are left had been added at once."""
        trained = 0 if self.base is None else self.base.trained
        if self._based == self.rows.size and trained in (0, self._based) and self.alive.all():
            return self
        nothing = type(self).empty(self.dim, self.exact_rows, self.seed)
        return nothing.plus(self.rows[self.alive], self._stored()[self.alive])

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

    def _chosen(self, mask: BoolMask) -> _Chosen:
        """What a mask over positions leaves of each part."""
        based, indexed = self._based, self._indexed
        late = mask[indexed:]
        return (
            Among.of(mask[:based]),
            Among.of(mask[based:indexed]),
            None if late.all() else np.flatnonzero(late),
        )

    def _among(self, allowed: BoolMask | None) -> _Chosen:
        """What may be returned of each part; `allowed` runs over the rows of the catalogue."""
        if allowed is None:
            return self.living
        last = int(self.rows[-1])
        if allowed.shape != (max(allowed.size, last + 1),):
            raise ValueError(
                f"allowed: found shape {allowed.shape}, expected one flag a row of the catalogue, "
                f"at least ({last + 1},). It may have been made before the last `add`"
            )
        n = self.rows.size
        return self._chosen((allowed[:n] if last == n - 1 else allowed[self.rows]) & self.alive)

    def search(self, queries: Floats, k: int, allowed: BoolMask | None = None) -> list[Hits]:
        """For each query (n, dim) the k best rows by inner product, ties by row."""
        if k <= 0 or self.rows.size == 0:
            return [Hits.none() for _ in queries]
        *chosen, late = self._among(allowed)
        found = [[(np.empty(0, np.int32), np.empty(0, np.float32))] for _ in queries]
        start = 0
        for part, among in zip((self.base, self.side), chosen, strict=True):
            if part is None:
                continue
            if among is None or among.count:
                answered = part.search(queries, k, among)
                for parts, (positions, scores) in zip(found, answered, strict=True):
                    parts.append((self.rows[positions + start], scores))
            start += part.size
        rows, delta = self.rows[start:], self.delta
        if late is not None:
            rows, delta = rows[late], delta[late]
        answers = []
        for query, parts in zip(queries, found, strict=True):
            parts.append((rows, products(delta, query)))
            docs, values = zip(*parts, strict=True)
            answers.append(best(np.concatenate(docs), np.concatenate(values), k))
        return answers

    def products(self, query: Floats, docs: Docs) -> Scores:
        """The inner product with each of these rows, shape (n,); NaN where a row is not indexed."""
        positions, known = self._find(docs)
        found = np.full(len(docs), np.nan, np.float32)
        start = 0
        for part in (self.base, self.side):
            end = start + (0 if part is None else part.size)
            here = known & (positions >= start) & (positions < end)
            if part is not None and here.any():
                found[here] = part.products(query, positions[here] - start)
            start = end
        late = known & (positions >= start)
        found[late] = products(self.delta[positions[late] - start], query)
        return found

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the arrays; what is returned belongs into a manifest and is wanted by `load`."""
        keep(folder / "rows.npy", self.rows)
        keep(folder / "alive.npy", self.alive)
        np.save(folder / "delta.npy", self.delta.astype(np.float16))
        parts = {"base": self.base, "side": self.side}
        return {
            "dim": self.dim,
            "exact_rows": self.exact_rows,
            "seed": self.seed,
            "recall_at_100": self.recall,
            **{
                name: None if part is None else part.save(folder / f"{name}.faiss")
                for name, part in parts.items()
            },
        }

    @classmethod
    def load(cls, folder: Path, manifest: Mapping[str, Any]) -> Self:
        """Read what `save` wrote."""
        rows, alive = (
            mapped(folder / "rows.npy", np.int32),
            mapped(folder / "alive.npy", np.bool_),
        )
        delta = np.load(folder / "delta.npy", allow_pickle=False).astype(np.float32)
        parts = {
            name: None
            if manifest[name] is None
            else Base.load(folder / f"{name}.faiss", manifest[name])
            for name in ("base", "side")
        }
        loaded = cls(manifest["exact_rows"], manifest["seed"], rows, alive, delta, **parts)
        sizes = [manifest[name]["size"] if manifest[name] else 0 for name in parts]
        found = (loaded._indexed + len(delta), len(alive), loaded._indexed, loaded.dim)
        expected = (len(rows), len(rows), sum(sizes), manifest["dim"])
        if found != expected:
            raise ValueError(
                f"{folder}: found (vectors, flags, vectors of FAISS indexes, dimensions) {found}, "
                f"expected {expected}. Its files are of different saves, or one was cut short"
            )
        return loaded
