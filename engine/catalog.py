"""The documents, by row and by id: "Here is a row, give me the document"."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadDocuments
from engine.formats import document_from_json, document_to_json
from retrievers.base import BoolMask, Docs, Document

DOCUMENTS = "documents.jsonl"
OFFSETS = "offsets.npy"
ALIVE = "alive.npy"
TYPES = "types.npy"
ABOUT = "catalog.json"


class Catalog:
    """Rows only grow: an update is a removal and an addition under a new row.

    Loaded documents stay on disk as JSON lines, mapped into memory and parsed when asked for.
    `copy.copy` gives an independent catalogue: `add` and `remove` replace what they change.
    """

    def __init__(self) -> None:
        self._blob: mmap.mmap | bytes = b""
        self._offsets: NDArray[np.int64] = np.zeros(1, np.int64)
        self._tail: list[Document] = []
        self._ids: list[str] = []
        self._row_of: dict[str, int] = {}
        self.alive: BoolMask = np.empty(0, bool)
        self.type_names: tuple[str, ...] = ()
        self.types: NDArray[np.int16] = np.empty(0, np.int16)
        """Shape (rows,): index into `type_names`, -1 for a document without type."""
        self.fields: frozenset[str] = frozenset({"type"})
        self.rows = 0

    def __len__(self) -> int:
        return int(self.alive.sum())

    def __getitem__(self, row: int) -> Document:
        based = self._offsets.size - 1
        if row >= based:
            return self._tail[row - based]
        line = self._blob[int(self._offsets[row]) : int(self._offsets[row + 1])]
        return document_from_json(json.loads(line))

    def id(self, row: int) -> str:
        """The id of a row."""
        return self._ids[row]

    def row(self, id: str) -> int | None:
        """The row of an id, None where it is unknown or removed."""
        return self._row_of.get(id)

    def documents(self, rows: Iterable[int] | None = None) -> Iterator[tuple[int, Document]]:
        """(row, document) of the given rows, by default of all that are not removed."""
        for row in np.flatnonzero(self.alive).tolist() if rows is None else rows:
            yield row, self[row]

    def add(self, documents: Sequence[Document]) -> Docs:
        """Append documents under new rows; the rows."""
        row_of = dict(self._row_of)
        names = {name: code for code, name in enumerate(self.type_names)}
        codes = np.empty(len(documents), np.int16)
        for offset, document in enumerate(documents):
            if not document.id:
                raise BadDocuments(f"a document without an id: {document.title!r}")
            if document.id in row_of:
                raise BadDocuments(
                    f"duplicate id {document.id!r}: every document needs an id of its own; remove "
                    "the earlier one first if this is a new version of it"
                )
            row_of[document.id] = self.rows + offset
            codes[offset] = (
                -1 if document.type is None else names.setdefault(document.type, len(names))
            )
        rows = np.arange(self.rows, self.rows + len(documents), dtype=np.int32)
        self._tail = [*self._tail, *documents]
        self._ids = [*self._ids, *(document.id for document in documents)]
        self._row_of = row_of
        self.fields = self.fields | {key for d in documents for key in d.metadata}
        self.type_names = tuple(names)
        self.types = np.concatenate([self.types, codes])
        self.alive = np.concatenate([self.alive, np.ones(len(documents), bool)])
        self.rows += len(documents)
        return rows

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
        self._row_of = {id: row for id, row in self._row_of.items() if alive[row]}
        return gone

    def save(self, folder: Path) -> None:
        """Write everything, removed rows included, since rows are never renumbered."""
        offsets = np.zeros(self.rows + 1, np.int64)
        based = self._offsets.size - 1
        with (folder / DOCUMENTS).open("wb") as out:
            out.write(self._blob[: int(self._offsets[-1])])
            offsets[: based + 1] = self._offsets
            for row, document in enumerate(self._tail, start=based):
                line = json.dumps(document_to_json(document), ensure_ascii=False).encode() + b"\n"
                out.write(line)
                offsets[row + 1] = offsets[row] + len(line)
        np.save(folder / OFFSETS, offsets)
        np.save(folder / ALIVE, self.alive)
        np.save(folder / TYPES, self.types)
        about = {"ids": self._ids, "types": self.type_names, "fields": sorted(self.fields)}
        (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        catalog = cls()
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        catalog._offsets = np.load(folder / OFFSETS, allow_pickle=False)
        catalog.alive = np.load(folder / ALIVE, allow_pickle=False)
        catalog.types = np.load(folder / TYPES, allow_pickle=False)
        catalog._ids = about["ids"]
        catalog.type_names = tuple(about["types"])
        catalog.fields = frozenset(about["fields"])
        catalog.rows = len(catalog._ids)
        alive = catalog.alive.tolist()
        catalog._row_of = {id: row for row, id in enumerate(catalog._ids) if alive[row]}
        if catalog._offsets[-1] > 0:
            with (folder / DOCUMENTS).open("rb") as file:
                catalog._blob = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return catalog
