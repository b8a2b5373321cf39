"""Vectors of words by the pieces they are made of, small enough to lie beside a model.

A pretrained table of pieces, such as the word embeddings of all-MiniLM-L6-v2, is cut to its principal components
and kept in 8 bits. They tell a network which words are alike that its few dialogues never said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 64


class WordVectors:
    """`table` (pieces, dim) of int8, `scale` (dim,): a piece's vector is their product. A word is cut
    greedily into the longest pieces, those after the first written with "##", and is their mean."""

    def __init__(
        self, pieces: Sequence[str], table: NDArray[np.int8], scale: NDArray[np.float32]
    ) -> None:
        if len(pieces) != len(table) or table.shape[1] != len(scale):
            raise ValueError(
                f"word vectors: found {len(pieces)} pieces, a table {table.shape} and {len(scale)} scales, "
                f"expected a row a piece and a column a scale: the file is damaged"
            )
        self.pieces, self.table, self.scale = tuple(pieces), table, scale
        self._known: dict[str, NDArray[np.float32]] = {}

    @classmethod
    def distil(
        cls, pieces: Sequence[str], vectors: NDArray[np.float32], dimensions: int = DIMENSIONS
    ) -> WordVectors:
        """The principal components of a pretrained table, of mean square 1."""
        centred = vectors - vectors.mean(axis=0)
        values, directions = np.linalg.eigh(centred.T @ centred)
        kept = directions[:, np.argsort(-values, kind="stable")[:dimensions]]
        # an eigenvector's sign is anybody's: the largest entry is made positive
        kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
        table = centred @ kept
        table /= np.sqrt((table**2).mean())
        scale = (np.abs(table).max(axis=0) / 127).astype(np.float32)
        return cls(pieces, np.round(table / scale).astype(np.int8), scale)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return len(self.scale)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {piece: at for at, piece in enumerate(self.pieces)}

    def of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """(n, dim): a vector a word, zeros where no piece is known."""
        return np.array([self._one(word) for word in words], np.float32).reshape(len(words), -1)

    def _one(self, word: str) -> NDArray[np.float32]:
        found = self._known.get(word)
        if found is None:
            places = self._cut(word)
            found = np.zeros(len(self.scale), np.float32)
            if places:
                found = self.table[places].astype(np.float32).mean(axis=0) * self.scale
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[word] = found
        return found

    def _cut(self, word: str) -> list[int]:
        places, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                place = self._places.get(("##" if start else "") + word[start:end])
                if place is not None:
                    places.append(place)
                    start = end
                    break
            else:
                return []
        return places
