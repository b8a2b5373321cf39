"""`changes` in a snapshot's folder: what was added and removed since it was written.

A record a change, appended before the change is seen by a search and read again by `load`. A record
is its length, a CRC of that, the SHA-256 of the digest before it followed by its payload, and the
payload: JSON with its length, then embeddings as they are stored. The first digest is that of the
snapshot's manifest, so that records of another snapshot, missing ones or such in another order are
noticed. A record cut short at the end of the file was never acknowledged, and is dropped.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.durable import sync_folder
from engine.errors import SnapshotError
from engine.formats import document_from_json, document_to_json
from retrievers.base import Document

CHANGES = "changes"
MAGIC = b"ltrr changes 1\n"
_HEAD = struct.Struct("<QI32s")
_LENGTH = struct.Struct("<Q")

Embeddings = Mapping[str, NDArray[np.float16]]
"""By generator, shape (documents, dim)."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Documents added, with their embeddings, or ids removed."""

    added: tuple[Document, ...] = ()
    removed: tuple[str, ...] = ()
    embeddings: Embeddings = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many documents it is about."""
        return len(self.added) + len(self.removed)

    def to_bytes(self) -> bytes:
        """As a payload."""
        arrays = {name: np.ascontiguousarray(a, "<f2") for name, a in self.embeddings.items()}
        about: dict[str, Any] = {
            "added": [document_to_json(document) for document in self.added],
            "removed": self.removed,
            "embeddings": {name: a.shape for name, a in arrays.items()},
        }
        text = json.dumps(about, ensure_ascii=False).encode()
        return b"".join([_LENGTH.pack(len(text)), text, *(a.tobytes() for a in arrays.values())])

    @classmethod
    def from_bytes(cls, payload: bytes) -> Self:
        """The inverse of `to_bytes`."""
        at = _LENGTH.size + _LENGTH.unpack_from(payload)[0]
        about = json.loads(payload[_LENGTH.size : at])
        embeddings: dict[str, NDArray[np.float16]] = {}
        for name, shape in about["embeddings"].items():
            count = math.prod(shape)
            embeddings[name] = np.frombuffer(payload, "<f2", count, at).reshape(shape)
            at += 2 * count
        added = tuple(document_from_json(row) for row in about["added"])
        return cls(added, tuple(about["removed"]), embeddings)


class ChangeFile:
    """The end of a snapshot's changes, where more are appended; one at a time may be open.

    `size`: documents in them; `digest`: the last one.
    """

    def __init__(self, snapshot: Path, manifest: bytes) -> None:
        self.path = snapshot / CHANGES
        changes, self._end, self.digest = _read(self.path, manifest)
        self.size = sum(change.size for change in changes)

    def append(self, changes: Iterable[Change]) -> None:
        """Add records; all of them are on the disk when it returns, or none."""
        given = list(changes)
        if not given:
            return
        records, digest = [], self.digest
        for change in given:
            record, digest = _record(change.to_bytes(), digest)
            records.append(record)
        is_new = self._end == 0
        data = b"".join([MAGIC if is_new else b"", *records])
        with self.path.open("ab") as file:
            try:
                file.truncate(self._end)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(self._end)
                raise
        if is_new:
            sync_folder(self.path.parent)
        self._end, self.digest = self._end + len(data), digest
        self.size += sum(change.size for change in given)


def read_changes(snapshot: Path, manifest: bytes, until: bytes | None = None) -> Sequence[Change]:
    """What happened since a snapshot was written; SnapshotError where the file is damaged.

    `manifest`: the SHA-256 of its manifest; `until`: the digest after which to stop, None: at the end.
    """
    return _read(snapshot / CHANGES, manifest, until)[0]


def _record(payload: bytes, before: bytes) -> tuple[bytes, bytes]:
    """The record of a payload, and its digest."""
    digest = hashlib.sha256(before + payload).digest()
    length = _LENGTH.pack(len(payload))
    return _HEAD.pack(len(payload), zlib.crc32(length), digest) + payload, digest


def _read(
    path: Path, manifest: bytes, until: bytes | None = None
) -> tuple[list[Change], int, bytes]:
    """The changes, the bytes that hold them, and the last digest."""
    data = path.read_bytes() if path.is_file() else b""
    if len(data) < len(MAGIC) and MAGIC.startswith(data):
        return [], 0, manifest
    if not data.startswith(MAGIC):
        raise SnapshotError(f"{path}: damaged, or written by another version of ltrr")
    changes: list[Change] = []
    at, digest = len(MAGIC), manifest
    while len(data) - at >= _HEAD.size and digest != until:
        size, check, expected = _HEAD.unpack_from(data, at)
        if zlib.crc32(_LENGTH.pack(size)) != check:
            raise SnapshotError(f"{path}: damaged (the length of record {len(changes) + 1})")
        end = at + _HEAD.size + size
        if end > len(data):
            break
        payload = data[at + _HEAD.size : end]
        digest = hashlib.sha256(digest + payload).digest()
        if digest != expected:
            raise SnapshotError(
                f"{path}: damaged (the SHA-256 of record {len(changes) + 1} is another)"
            )
        changes.append(Change.from_bytes(payload))
        at = end
    return changes, at, digest
