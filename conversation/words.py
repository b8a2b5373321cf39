"""Words of a text as a small network reads them: pieces hashed into buckets, and vectors if any."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Vectors = Callable[[list[str]], NDArray[np.float32]]
"""A frozen encoder of texts: shape (n, dimensions)."""

BUCKETS, PIECES = 4096, 8
_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_CASES = re.compile(r"(?<=[a-z])(?=[A-Z])|_")


def words_of(text: str) -> list[tuple[str, int, int]]:
    """The words and signs of a text with their places."""
    return [(found[0].lower(), found.start(), found.end()) for found in _WORD.finditer(text)]


def plain_words(name: str) -> list[str]:
    """Words of a name in code: `subtitle_language`, `FindMovies`."""
    return [word for word, _, _ in words_of(_CASES.sub(" ", name))]


class Words:
    """Numbers words as they come; row 0 is no word.

    `pieces` has shape (words, PIECES): buckets of a word and its trigrams, 0 where there are fewer.
    """

    def __init__(self, vectors: Vectors | None = None, dimensions: int = 0) -> None:
        self._ids: dict[str, int] = {"": 0}
        self._pieces: list[Ids] = [np.zeros(PIECES, np.int64)]
        self._vectors, self._dimensions = vectors, dimensions
        self._frozen: list[NDArray[np.float32]] = [np.zeros(dimensions, np.float32)]

    def __len__(self) -> int:
        return len(self._pieces)

    def ids(self, words: Sequence[str]) -> list[int]:
        """The words' numbers, new ones for new words."""
        new = [word for word in dict.fromkeys(words) if word not in self._ids]
        if new:
            for word in new:
                self._ids[word] = len(self._pieces)
                self._pieces.append(_pieces(word))
            if self._vectors is not None:
                self._frozen += [*self._vectors(new)]
            else:
                self._frozen += [self._frozen[0]] * len(new)
        return [self._ids[word] for word in words]

    def pieces(self, ids: Ids) -> Ids:
        """Buckets of words, shape (n, PIECES)."""
        return np.stack([self._pieces[i] for i in ids])

    def frozen(self, ids: Ids) -> NDArray[np.float32]:
        """Vectors of words, shape (n, dimensions)."""
        return np.stack([self._frozen[i] for i in ids])


def _pieces(word: str) -> Ids:
    framed = f"<{word}>"
    grams = [framed, *(framed[i : i + 3] for i in range(len(framed) - 2) if len(framed) > 3)]
    buckets = [1 + zlib.crc32(gram.encode()) % (BUCKETS - 1) for gram in grams[:PIECES]]
    return np.array(buckets + [0] * (PIECES - len(buckets)), np.int64)
