"""Which values of the catalogue's fields every row has, and which rows share a value."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from retrievers.arrays import keep, mapped_all
from retrievers.base import Docs, Document, Scores
from retrievers.field_names import named
from retrievers.postings import Offsets
from retrievers.spellings import Hashes
from retrievers.topk import frozen
from retrievers.value_table import hash_of, key_of

FIELDS = 16
"""How many fields are told apart, the first that documents have; others are passed over."""
UNINDEXED = 2000
"""Rows that may be added before the rows of each value are listed anew; they are looked through."""
_MOMENT = re.compile(r"\d{4}-\d\d(?:-\d\d.*)?")
"""A date: what came out in the same week as something liked is not liked for that."""
_TYPES: dict[str, type[np.generic]] = {
    "hashes": np.uint64, "numbers": np.int32, "field_of": np.int16, "sizes": np.int64,
    "row_starts": np.int64, "row_values": np.int32, "starts": np.int64, "rows": np.int32,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """v values, numbered as they arrive, in compressed columns; never changes.

    Value numbers[i] has the hash hashes[i], ascending; it is of the field fields[field_of[value]], and
    sizes[value] rows have it. The values of row r are row_values[row_starts[r]:row_starts[r + 1]]; of
    the first `indexed` rows, rows[starts[value]:starts[value + 1]] have a value, ascending.
    """

    fields: tuple[str, ...]
    indexed: int
    hashes: Hashes
    numbers: NDArray[np.int32]
    field_of: NDArray[np.int16]
    sizes: NDArray[np.int64]
    row_starts: Offsets
    row_values: Docs
    starts: Offsets
    rows: Docs

    @classmethod
    def none(cls) -> Self:
        """No row, no value."""
        empty = {name: frozen(np.empty(0, kind)) for name, kind in _TYPES.items()}
        empty["row_starts"] = empty["starts"] = frozen(np.zeros(1, np.int64))
        columns: dict[str, NDArray[Any]] = empty
        return cls((), 0, **columns)

    @property
    def count(self) -> int:
        """Rows it is about."""
        return self.row_starts.size - 1

    def plus(self, rows: Docs, documents: Sequence[Document]) -> Content:
        """With documents under new rows, ascending and above all others, one or more; dates are no values."""
        fields = {field: number for number, field in enumerate(self.fields)}
        spelt: dict[tuple[str, str], int] = {}
        hashed, of_field = array("Q"), array("h")
        entries, ends = array("i"), array("q")
        for document in documents:
            for field, text, own in named(document, ()):
                if own or _MOMENT.fullmatch(text):
                    continue
                if field not in fields and len(fields) == FIELDS:
                    continue
                place = spelt.get((field, text))
                if place is None:
                    place = spelt[field, text] = len(hashed)
                    hashed.append(hash_of(f"{field}\n{key_of(text) or text}"))
                    of_field.append(fields.setdefault(field, len(fields)))
                entries.append(place)
            ends.append(len(entries))
        found, where = np.unique(np.array(hashed, np.uint64), return_inverse=True)
        hashes, numbers, known = self._with(found)
        row_values = known[where][np.array(entries, np.int32)]
        field_of = np.zeros(hashes.size, np.int16)
        field_of[: self.field_of.size] = self.field_of
        field_of[known[where]] = np.array(of_field, np.int16)
        sizes = np.bincount(row_values, minlength=hashes.size)
        sizes[: self.sizes.size] += self.sizes
        per_row = np.zeros(int(rows[-1]) + 1 - self.count, np.int64)
        per_row[rows - self.count] = np.diff(np.array(ends, np.int64), prepend=0)
        row_starts = np.concatenate([self.row_starts, self.row_starts[-1] + np.cumsum(per_row)])
        row_values = np.concatenate([self.row_values, row_values])
        indexed, starts, having = self.indexed, self.starts, self.rows
        if row_starts.size - 1 - indexed > UNINDEXED or indexed == 0:
            indexed = row_starts.size - 1
            ones = np.ones(row_values.size, np.int8)
            by_value = csr_matrix((ones, row_values, row_starts), (indexed, hashes.size)).T.tocsr()
            starts, having = by_value.indptr.astype(np.int64), by_value.indices.astype(np.int32)
        arrays: dict[str, NDArray[Any]] = {
            "hashes": hashes, "numbers": numbers, "field_of": field_of, "sizes": sizes,
            "row_starts": row_starts, "row_values": row_values, "starts": starts, "rows": having,
        }  # fmt: skip
        return Content(
            tuple(fields), indexed, **{name: frozen(column) for name, column in arrays.items()}
        )

    def _with(self, found: Hashes) -> tuple[Hashes, NDArray[np.int32], NDArray[np.int32]]:
        """`hashes` and `numbers` with those found, ascending, and the number of each of these."""
        at = np.searchsorted(self.hashes, found)
        old = np.zeros(found.size, np.bool_)
        inside = at < self.hashes.size
        old[inside] = self.hashes[at[inside]] == found[inside]
        known = np.empty(found.size, np.int32)
        known[old] = self.numbers[at[old]]
        known[~old] = self.hashes.size + np.arange(np.count_nonzero(~old))
        hashes = np.insert(self.hashes, at[~old], found[~old])
        return hashes, np.insert(self.numbers, at[~old], known[~old]), known

    def values_of(self, docs: Docs) -> tuple[Docs, NDArray[np.int64]]:
        """The values of rows, one row after the other, and how many each has (n,)."""
        starts, sizes = self.row_starts[docs], self.row_starts[docs + 1] - self.row_starts[docs]
        before = np.cumsum(sizes) - sizes
        places = np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)
        return self.row_values[places], sizes

    def having(self, values: Docs, most: int) -> Docs:
        """Rows with one of the values, ascending: of the rarest values that at most `most` rows have
        in all, and among the latest rows of any."""
        rarest = values[np.argsort(self.sizes[values], kind="stable")]
        rarest = rarest[np.cumsum(self.sizes[rarest]) <= most]
        rarest = rarest[rarest < self.starts.size - 1]
        parts = [
            self.rows[self.starts[value] : self.starts[value + 1]] for value in rarest.tolist()
        ]
        latest = np.arange(self.indexed, self.count, dtype=np.int32)
        of_latest, sizes = self.values_of(latest)
        parts.append(np.repeat(latest, sizes)[np.isin(of_latest, values)])
        return np.unique(np.concatenate(parts))

    def strongest(self, docs: Docs, weights: Scores) -> Scores:
        """Shape (n,): the highest of the weights (v,), ≥ 0, of each row's values in a field, summed over the fields."""
        return _strongest(
            frozen(docs), self.row_starts, self.row_values, self.field_of, frozen(weights), len(self.fields)
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write into a new folder."""
        folder.mkdir()
        about = {"fields": self.fields, "indexed": self.indexed}
        (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        for name in _TYPES:
            keep(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, mapped from the files."""
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        columns = mapped_all(folder, _TYPES)
        return cls(tuple(about["fields"]), int(about["indexed"]), **columns)


@njit(nogil=True, cache=True)
def _strongest(
    docs: Docs,
    row_starts: Offsets,
    row_values: Docs,
    field_of: NDArray[np.int16],
    weights: Scores,
    fields: int,
) -> Scores:
    out = np.zeros(docs.size, np.float32)
    highest = np.zeros(fields, np.float32)
    for i in range(docs.size):
        highest[:] = 0.0
        for p in range(row_starts[docs[i]], row_starts[docs[i] + 1]):
            value = row_values[p]
            field = field_of[value]
            if weights[value] > highest[field]:
                out[i] += weights[value] - highest[field]
                highest[field] = weights[value]
    return out
