"""What the catalogue calls its items: is a query exactly the name of one, or a value of its fields?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.analysis import normalise
from retrievers.arrays import keep, mapped
from retrievers.base import Docs, Document

Hashes = NDArray[np.uint64]
MERGE_SHARE = 0.1
"""Rows that came later than the others, as a share of these, from which on all are sorted anew."""


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
        self._values: Hashes = np.empty(0, np.uint64)
        # The rows by their hash: the first ones, and those that came later.
        self._order: Docs = np.empty(0, np.int32)
        self._sorted: Hashes = np.empty(0, np.uint64)
        self._later = (self._sorted, self._order)

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
        given = np.fromiter(values, np.uint64, len(values))
        given = given[~_within(self._values, given)]
        if given.size:
            self._values = np.union1d(self._values, given)
        first = self._order.size
        if self.titles.size - first > MERGE_SHARE * first:
            self.merge()
        else:
            self._later = _by_hash(self.titles, first)

    def merge(self) -> None:
        """Make look-ups as quick as if all documents had been added at once."""
        if self._order.size < self.titles.size:
            self._sorted, self._order = _by_hash(self.titles, 0)
            self._later = (self._sorted[:0], self._order[:0])

    def rows(self, hashed: int) -> Docs:
        """The rows whose title has this hash, removed ones included."""
        key, found = np.uint64(hashed), []
        for hashes, rows in ((self._sorted, self._order), self._later):
            start, end = np.searchsorted(hashes, key), np.searchsorted(hashes, key, "right")
            found.append(rows[start:end])
        return np.concatenate(found)

    def is_value(self, hashed: int) -> bool:
        """Whether some document's metadata has this value."""
        return bool(_within(self._values, np.array([hashed], np.uint64))[0])

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        for name, array in self._arrays():
            keep(folder / f"{name}.npy", array)

    def _arrays(self) -> Iterable[tuple[str, NDArray[np.generic]]]:
        return (
            ("titles", self.titles), ("words", self.words), ("values", self._values),
            ("order", self._order), ("sorted", self._sorted),
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        names = cls()
        names.titles = mapped(folder / "titles.npy", np.uint64)
        names.words = mapped(folder / "words.npy", np.int16)
        names._values = mapped(folder / "values.npy", np.uint64)
        names._order = mapped(folder / "order.npy", np.int32)
        names._sorted = mapped(folder / "sorted.npy", np.uint64)
        names._later = _by_hash(names.titles, names._order.size)
        return names


def _by_hash(titles: Hashes, first: int) -> tuple[Hashes, Docs]:
    """The hashes of the rows from `first` on, ascending, and the row of each."""
    order = (np.argsort(titles[first:], kind="stable") + first).astype(np.int32)
    return titles[order], order


def _within(known: Hashes, hashes: Hashes) -> NDArray[np.bool_]:
    """Which of `hashes` are among the ascending `known`."""
    if known.size == 0:
        return np.zeros(hashes.size, np.bool_)
    found: NDArray[np.bool_] = (
        known[np.minimum(np.searchsorted(known, hashes), known.size - 1)] == hashes
    )
    return found
