"""Embeddings kept by the content of their texts, so that unchanged texts are encoded once.

On disk a cache is `FOLDER/v1/<hash of the encoder's identity>/<hash of the content>.npy`: one file
a `put`, never changed afterwards, each an array of records (high, low, vector) sorted by high. A
file is written beside its place and renamed into it, so an interrupted process leaves none in
part, and several processes may share a folder.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

Stored = NDArray[np.float16]
Flags = NDArray[np.bool_]
Keys = NDArray[np.uint64]

VERSION = "v1"
"""Changed with the records, and with the grid that vectors are rounded to."""


_hash = partial(hashlib.blake2b, digest_size=16)


def _keys(identity: str, texts: Sequence[str]) -> Keys:
    """Shape (n, 2): the 128-bit hash of each text under the encoder's identity."""
    prefix = _hash(f"{identity}\0".encode())
    joined = bytearray()
    for text in texts:
        one = prefix.copy()
        one.update(text.encode("utf-8", "surrogatepass"))
        joined += one.digest()
    return np.frombuffer(bytes(joined), "<u8").reshape(len(texts), 2).astype(np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    records: NDArray[Any]
    highs: NDArray[np.uint64]  # a compact copy: searching the mapped records would read them all

    @classmethod
    def of(cls, records: NDArray[Any]) -> Self:
        return cls(records, np.ascontiguousarray(records["high"]))

    @classmethod
    def read(cls, path: Path) -> Self:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, _hash).hexdigest()
        if found != path.stem:
            raise ValueError(
                f"{path}: found content of hash {found}, expected {path.stem}. The file was "
                f"damaged or changed; delete it and its texts are encoded again"
            )
        records = np.load(path, mmap_mode="r", allow_pickle=False)
        names = records.dtype.names
        if names != ("high", "low", "vector") or records.dtype["vector"].base != np.float16:
            raise ValueError(
                f"{path}: found records of type {records.dtype}, expected (high, low, vector of "
                f"float16). It was not written by this cache; delete it"
            )
        return cls.of(records)

    def find(self, keys: Keys) -> NDArray[np.intp]:
        """The place of each key, -1 where it is not here."""
        places = np.minimum(np.searchsorted(self.highs, keys[:, 0]), self.highs.size - 1)
        at = self.records[places]
        return np.where((at["high"] == keys[:, 0]) & (at["low"] == keys[:, 1]), places, -1)


class EmbeddingCache:
    """Vectors under (encoder identity, text); thread-safe. In memory where `folder` is None."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._segments: dict[str, tuple[_Segment, ...]] = {}

    def get(self, identity: str, texts: Sequence[str]) -> tuple[Flags, Stored]:
        """Which texts are known, shape (n,), and the vectors of those, (known, dim), in order."""
        keys = _keys(identity, texts)
        found = np.zeros(len(texts), np.bool_)
        vectors: Stored | None = None
        for segment in self._of(identity):
            places = segment.find(keys)
            here = (places >= 0) & ~found
            if not here.any():
                continue
            rows = segment.records["vector"][places[here]]
            if vectors is None:
                vectors = np.zeros((len(texts), rows.shape[1]), np.float16)
            elif vectors.shape[1] != rows.shape[1]:
                raise ValueError(
                    f"embedding cache {self.folder or 'in memory'}: found vectors of "
                    f"{rows.shape[1]} and {vectors.shape[1]} dimensions for encoder {identity}. "
                    f"Two encoders share this identity: give each its own"
                )
            vectors[here] = rows
            found |= here
        return found, np.empty((0, 0), np.float16) if vectors is None else vectors[found]

    def put(self, identity: str, texts: Sequence[str], vectors: Stored) -> None:
        """Keep the vectors, (n, dim), of n distinct texts; durable on return where on disk."""
        if len(texts) == 0:
            return
        if vectors.ndim != 2 or vectors.shape[0] != len(texts):
            raise ValueError(
                f"vectors: found shape {vectors.shape}, expected ({len(texts)}, dim), one row a text"
            )
        keys = _keys(identity, texts)
        order = np.argsort(keys[:, 0], kind="stable")
        width = vectors.shape[1]
        records = np.empty(
            len(texts), np.dtype([("high", "<u8"), ("low", "<u8"), ("vector", "<f2", (width,))])
        )
        records["high"], records["low"] = keys[order, 0], keys[order, 1]
        records["vector"] = vectors[order]
        known = self._of(identity)
        if self.folder is not None:
            self._write(self._place(identity, self.folder), records)
        with self._lock:
            self._segments[identity] = (
                *self._segments.get(identity, known),
                _Segment.of(records),
            )

    @staticmethod
    def _place(identity: str, folder: Path) -> Path:
        return folder / VERSION / _hash(identity.encode()).hexdigest()

    @staticmethod
    def _write(place: Path, records: NDArray[Any]) -> None:
        buffer = io.BytesIO()
        np.save(buffer, records, allow_pickle=False)
        data = buffer.getbuffer()
        place.mkdir(parents=True, exist_ok=True)
        partial = place / f"{uuid4().hex}.partial"
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(place / f"{_hash(data).hexdigest()}.npy")
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def _of(self, identity: str) -> tuple[_Segment, ...]:
        with self._lock:
            if identity not in self._segments:
                segments: tuple[_Segment, ...] = ()
                if self.folder is not None:
                    files = sorted(self._place(identity, self.folder).glob("*.npy"))
                    segments = tuple(_Segment.read(path) for path in files)
                self._segments[identity] = segments
            return self._segments[identity]
