"""What the catalogue calls its items: is a query exactly the name of one, or a value of its fields?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.analysis import normalise
from retrievers.base import Docs, Document

Hashes = NDArray[np.uint64]


def name_hash(text: str) -> int:
    """A 64-bit hash of the normalised text; equal for texts that differ in case or diacritics."""
    return int.from_bytes(blake2b(normalise(text).encode(), digest_size=8).digest(), "little")


class Names:
    """Hashes of titles and of metadata values; `add` replaces, so that a `copy.copy` stays as it is."""

    def __init__(self) -> None:
        self.titles: Hashes = np.empty(0, np.uint64)
        """Shape (rows,): the hash of each row's title."""
        self.words: NDArray[np.int16] = np.empty(0, np.int16)
        """Shape (rows,): how many words each title has."""
        self._sorted: Hashes = np.empty(0, np.uint64)
        self._rows: Docs = np.empty(0, np.int32)
        self._values: Hashes = np.empty(0, np.uint64)

    def add(self, documents: Sequence[Document]) -> None:
        """Take in the documents of the next rows."""
        titles = [name_hash(document.title) for document in documents]
        values = {
            name_hash(value)
            for document in documents
            for key, entry in document.metadata.items()
            if isinstance(entry, str | list | tuple)
            for value in document.values(key)
        }
        self.titles = np.concatenate([self.titles, np.array(titles, np.uint64)])
        counts = [len(normalise(document.title).split()) for document in documents]
        self.words = np.concatenate([self.words, np.array(counts, np.int16)])
        self._values = np.union1d(self._values, np.fromiter(values, np.uint64, len(values)))
        self._index()

    def _index(self) -> None:
        order = np.argsort(self.titles, kind="stable").astype(np.int32)
        self._sorted, self._rows = self.titles[order], order

    def rows(self, hashed: int) -> Docs:
        """The rows whose title has this hash, removed ones included."""
        key = np.uint64(hashed)
        start, end = np.searchsorted(self._sorted, key), np.searchsorted(self._sorted, key, "right")
        return self._rows[start:end]

    def is_value(self, hashed: int) -> bool:
        """Whether some document's metadata has this value."""
        place = int(np.searchsorted(self._values, np.uint64(hashed)))
        return place < self._values.size and int(self._values[place]) == hashed

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        for name, array in self._arrays():
            np.save(folder / f"{name}.npy", array)

    def _arrays(self) -> Iterable[tuple[str, NDArray[np.generic]]]:
        return (("titles", self.titles), ("words", self.words), ("values", self._values))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        names = cls()
        names.titles = np.load(folder / "titles.npy", allow_pickle=False)
        names.words = np.load(folder / "words.npy", allow_pickle=False)
        names._values = np.load(folder / "values.npy", allow_pickle=False)
        names._index()
        return names
