"""Documents of consecutive rows as JSON lines: parsed when asked for, found by id through hashes."""

from __future__ import annotations

import json
import mmap
import os
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.formats import document_from_json, document_to_json
from retrievers.arrays import FileId, file_id, keep, mapped, share
from retrievers.base import Document

Offsets = NDArray[np.int64]


class FileBytes:
    """The bytes of a file, read when asked for. Those of a mapping stay with the process, and around each line that
    is read come 64 kB more."""

    def __init__(self, path: Path) -> None:
        self._size = path.stat().st_size
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        data = os.pread(self._file, stop - start, start)
        while len(data) < stop - start:  # a call brings two gigabytes at most
            more = os.pread(self._file, stop - start - len(data), start + len(data))
            if not more:
                raise OSError(
                    f"found {len(data)} bytes from byte {start} on, expected {stop - start}"
                )
            data += more
        return data


Blob = bytes | mmap.mmap | FileBytes

_ARRAYS: dict[str, type[Any]] = {
    "starts": np.int64,
    "id_starts": np.int64,
    "hashes": np.uint64,
    "order": np.int32,
}


# `json.loads` looks for the encoding and for what stands behind the object: half of its time.
_decoded = json.JSONDecoder().raw_decode


def _hash(id: bytes) -> int:
    return int.from_bytes(blake2b(id, digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """n documents, by their place from 0; a value that never changes.

    Line i is bytes starts[i]:starts[i + 1] of `blob`, its id bytes id_starts[i]:id_starts[i + 1] of
    `ids`. `hashes` (n,) ascend, and belong to the ids of the places `order` (n,). `files`: those
    that `blob` and `ids` are mapped from.
    """

    blob: Blob
    ids: Blob
    starts: Offsets
    id_starts: Offsets
    hashes: NDArray[np.uint64]
    order: NDArray[np.int32]
    files: tuple[FileId, FileId] | None = None

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Self:
        """The documents in their order."""
        lines = [
            json.dumps(document_to_json(d), ensure_ascii=False).encode() + b"\n" for d in documents
        ]
        ids = [document.id.encode() for document in documents]
        hashes = np.fromiter(map(_hash, ids), np.uint64, len(ids))
        return cls._indexed(b"".join(lines), b"".join(ids), _starts(lines), _starts(ids), hashes)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One after the other."""
        if len(parts) == 1:
            return parts[0]
        hashes = np.concatenate([part._by_place() for part in parts])
        return cls._indexed(
            b"".join(part.blob[:] for part in parts),
            b"".join(part.ids[:] for part in parts),
            _chained([part.starts for part in parts]),
            _chained([part.id_starts for part in parts]),
            hashes,
        )

    @classmethod
    def _indexed(
        cls,
        blob: Blob,
        ids: Blob,
        starts: Offsets,
        id_starts: Offsets,
        hashes: NDArray[np.uint64],
    ) -> Self:
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(blob, ids, starts, id_starts, hashes[order], order)

    def _by_place(self) -> NDArray[np.uint64]:
        hashes = np.empty_like(self.hashes)
        hashes[self.order] = self.hashes
        return hashes

    def __len__(self) -> int:
        return int(self.starts.size) - 1

    def document(self, place: int) -> Document:
        """The document at a place."""
        line = self.blob[int(self.starts[place]) : int(self.starts[place + 1])]
        return document_from_json(_decoded(line.decode())[0])

    def id(self, place: int) -> str:
        """Its id."""
        return self.ids[int(self.id_starts[place]) : int(self.id_starts[place + 1])].decode()

    def places(self, id: str) -> list[int]:
        """Where documents of this id stand, ascending: several where one was removed in between."""
        hashed = np.uint64(_hash(id.encode("utf-8", "surrogatepass")))  # any text may be asked for
        low = int(np.searchsorted(self.hashes, hashed))
        high = int(np.searchsorted(self.hashes, hashed, "right"))
        return [place for place in self.order[low:high].tolist() if self.id(place) == id]

    def save(self, folder: Path, suffix: str) -> None:
        """Write into an existing folder, under names that end in `suffix`."""
        blob, ids = folder / f"documents{suffix}.jsonl", folder / f"ids{suffix}.txt"
        for number, (path, data) in enumerate(((blob, self.blob), (ids, self.ids))):
            if not share(path, None if self.files is None else self.files[number]):
                with path.open("wb") as out:
                    out.write(data[:])
        for name in _ARRAYS:
            keep(folder / f"{name}{suffix}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path, suffix: str) -> Self:
        """What `save` wrote, left in the files."""
        blob, ids = folder / f"documents{suffix}.jsonl", folder / f"ids{suffix}.txt"
        arrays = {name: mapped(folder / f"{name}{suffix}.npy", t) for name, t in _ARRAYS.items()}
        starts, id_starts = arrays["starts"], arrays["id_starts"]
        for path, ends in ((blob, starts), (ids, id_starts)):
            if path.stat().st_size != int(ends[-1]):
                raise ValueError(f"{path}: found {path.stat().st_size} bytes, expected {ends[-1]}")
        return cls(
            FileBytes(blob), _mapped(ids), starts, id_starts, arrays["hashes"], arrays["order"],
            (file_id(blob), file_id(ids)),
        )  # fmt: skip


def _mapped(path: Path) -> Blob:
    if path.stat().st_size == 0:
        return b""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _starts(texts: Sequence[bytes]) -> Offsets:
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=starts[1:])
    return starts


def _chained(parts: Iterable[Offsets]) -> Offsets:
    joined, end = [np.zeros(1, np.int64)], 0
    for starts in parts:
        joined.append(starts[1:] + end)
        end += int(starts[-1])
    return np.concatenate(joined)
