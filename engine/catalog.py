"""The documents, by row and by id: "Here is a row, give me the document"."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadDocuments
from engine.lines import Lines
from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Document

ALIVE = "alive.npy"
TYPES = "types.npy"
ABOUT = "catalog.json"


class Catalog:
    """Rows only grow: an update is a removal and an addition under a new row.

    Documents are kept as JSON lines, on disk once loaded, and parsed when asked for. What is added
    later stands in parts of its own, each less than half of the one before it, so that an addition
    moves little. `copy.copy` gives an independent catalogue: `add` and `remove` replace what they
    change.
    """

    def __init__(self) -> None:
        self._parts: tuple[Lines, ...] = ()
        self._firsts: tuple[int, ...] = ()
        self.alive: BoolMask = np.empty(0, bool)
        self.type_names: tuple[str, ...] = ()
        self.types: NDArray[np.int16] = np.empty(0, np.int16)
        """Shape (rows,): index into `type_names`, -1 for a document without type."""
        self.fields: frozenset[str] = frozenset({"type"})
        self.rows = 0
        self.changes = 0
        """Documents added and removed since the generators were last merged."""

    def __len__(self) -> int:
        return int(np.count_nonzero(self.alive))

    def __getitem__(self, row: int) -> Document:
        part = bisect_right(self._firsts, row) - 1
        return self._parts[part].document(row - self._firsts[part])

    def id(self, row: int) -> str:
        """The id of a row."""
        part = bisect_right(self._firsts, row) - 1
        return self._parts[part].id(row - self._firsts[part])

    def row(self, id: str) -> int | None:
        """The row of an id, None where it is unknown or removed."""
        for first, part in zip(self._firsts, self._parts, strict=True):
            for place in part.places(id):
                if self.alive[first + place]:
                    return first + place
        return None

    def find(self, id: str) -> Document | None:
        """The document of an id, None where it is unknown or removed."""
        row = self.row(id)
        return None if row is None else self[row]

    def documents(self, rows: Iterable[int] | None = None) -> Iterator[tuple[int, Document]]:
        """(row, document) of the given rows, by default of all that are not removed."""
        for row in np.flatnonzero(self.alive).tolist() if rows is None else rows:
            yield row, self[row]

    def add(self, documents: Sequence[Document]) -> Docs:
        """Append documents under new rows; the rows."""
        given: set[str] = set()
        names = {name: code for code, name in enumerate(self.type_names)}
        codes = np.empty(len(documents), np.int16)
        for offset, document in enumerate(documents):
            if not document.id:
                raise BadDocuments(f"a document without an id: {document.title!r}")
            if document.id in given or self.row(document.id) is not None:
                raise BadDocuments(
                    f"duplicate id {document.id!r}: every document needs an id of its own; remove "
                    "the earlier one first if this is a new version of it"
                )
            given.add(document.id)
            codes[offset] = (
                -1 if document.type is None else names.setdefault(document.type, len(names))
            )
        rows = np.arange(self.rows, self.rows + len(documents), dtype=np.int32)
        try:
            added = Lines.of(documents)
        except (TypeError, ValueError) as e:
            raise BadDocuments(f"a document that cannot be written as JSON: {e}") from e
        parts = [*self._parts, added] if len(added) else list(self._parts)
        while len(parts) > 1 and len(parts[-2]) < 2 * len(parts[-1]):
            parts[-2:] = [Lines.joined(parts[-2:])]
        self._stand(parts)
        self.fields = self.fields | {key for d in documents for key in d.metadata}
        self.type_names = tuple(names)
        self.types = np.concatenate([self.types, codes])
        self.alive = np.concatenate([self.alive, np.ones(len(documents), bool)])
        self.changes += len(documents)
        return rows

    def _stand(self, parts: Sequence[Lines]) -> None:
        ends = list(accumulate(map(len, parts), initial=0))
        self._parts, self._firsts, self.rows = tuple(parts), tuple(ends[:-1]), ends[-1]

    def remove(self, ids: Sequence[str]) -> Docs:
        """Forget documents; the rows they had. Nothing is removed where one id is unknown."""
        rows = [self.row(id) for id in ids]
        unknown = [id for id, row in zip(ids, rows, strict=True) if row is None]
        if unknown:
            raise BadDocuments(
                f"remove: no document has the id {unknown[0]!r} ({len(unknown)} unknown)"
            )
        gone = np.array(sorted({row for row in rows if row is not None}), np.int32)
        alive = self.alive.copy()
        alive[gone] = False
        self.alive = alive
        self.changes += gone.size
        return gone

    def save(self, folder: Path) -> None:
        """Write everything, removed rows included."""
        for number, part in enumerate(self._parts):
            part.save(folder, _suffix(number))
        keep(folder / ALIVE, self.alive)
        keep(folder / TYPES, self.types)
        about = {
            "parts": len(self._parts),
            "changes": self.changes,
            "types": self.type_names,
            "fields": sorted(self.fields),
        }
        (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        catalog = cls()
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        catalog.alive = mapped(folder / ALIVE, np.bool_)
        catalog.types = mapped(folder / TYPES, np.int16)
        catalog.type_names = tuple(about["types"])
        catalog.fields = frozenset(about["fields"])
        catalog.changes = int(about["changes"])
        catalog._stand([Lines.load(folder, _suffix(n)) for n in range(about["parts"])])
        return catalog


def _suffix(part: int) -> str:
    return f"-{part}" if part else ""
