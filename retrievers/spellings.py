"""Words by the ways to misspell them: each is found by itself and by itself less any one letter.

Two words one edit apart (a letter more, less, other, or two exchanged) have such a form in common,
many that are two apart too (W. Garbe, "SymSpell", 2012, at deletion distance 1). What is found is
then compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from retrievers.arrays import keep, mapped
from retrievers.topk import frozen

Hashes = NDArray[np.uint64]
Codes = NDArray[np.uint32]
SHORTEST = 4
"""Letters of the shortest word that is taken as misspelt."""
ALIKE = 0.7
"""1 - edits over the longer length, below which two words are different ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Spellings:
    """Distinct words, by their place; a value that never changes.

    `hashes` (w,) ascend and belong to the words `order` (w,); `less` (d,) ascend too: the hashes of
    words less one letter, of the words `of` (d,). Letters of word i: starts[i]:starts[i + 1] of `codes`.
    """

    codes: Codes
    starts: NDArray[np.int64]
    hashes: Hashes
    order: NDArray[np.int32]
    less: Hashes
    of: NDArray[np.int32]

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Self:
        """The words, distinct, in their order."""
        starts = np.zeros(len(words) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, words), np.int64, len(words)), out=starts[1:])
        codes = frozen(
            np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32)
        )
        whole, less, of = _forms(codes, frozen(starts), SHORTEST)
        order = np.argsort(whole, kind="stable").astype(np.int32)
        by_hash = np.argsort(less, kind="stable")
        return cls(
            codes, frozen(starts), frozen(whole[order]), frozen(order), frozen(less[by_hash]),
            frozen(of[by_hash]),
        )  # fmt: skip

    def word(self, place: int) -> str:
        """The word at a place."""
        letters = self.codes[self.starts[place] : self.starts[place + 1]]
        return letters.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")

    def place(self, word: str) -> int:
        """Where a word stands, -1 where it does not."""
        for place in _at(self.hashes, self.order, _form(word)[0]):
            if self.word(place) == word:
                return place
        return -1

    def near(self, word: str) -> list[tuple[int, float]]:
        """Places of the words that it may be a misspelling of, each with how alike they are, below 1;
        the most alike first."""
        if len(word) < SHORTEST:
            return []
        whole, less = _form(word)
        places = set(_at(self.less, self.of, whole))
        for hashed in less.tolist():
            places.update(_at(self.hashes, self.order, hashed), _at(self.less, self.of, hashed))
        found = []
        for place in sorted(places):
            alike = OSA.normalized_similarity(word, self.word(place), score_cutoff=ALIKE)
            if ALIKE <= alike < 1.0:
                found.append((place, alike))
        return sorted(found, key=lambda one: -one[1])

    def save(self, folder: Path) -> None:
        """Write into a new folder."""
        folder.mkdir()
        for name in self.__slots__:
            keep(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, mapped from the files."""
        return cls(
            mapped(folder / "codes.npy", np.uint32),
            mapped(folder / "starts.npy", np.int64),
            mapped(folder / "hashes.npy", np.uint64),
            mapped(folder / "order.npy", np.int32),
            mapped(folder / "less.npy", np.uint64),
            mapped(folder / "of.npy", np.int32),
        )


def _at(hashes: Hashes, places: NDArray[np.int32], hashed: int) -> list[int]:
    key = np.uint64(hashed)
    low, high = hashes.searchsorted(key), hashes.searchsorted(key, "right")
    found: list[int] = places[low:high].tolist()
    return found


def _form(word: str) -> tuple[int, Hashes]:
    """The hash of a word, and those of it less each letter."""
    codes = frozen(np.frombuffer(word.encode("utf-32-le", "surrogatepass"), np.uint32))
    whole, less, _ = _forms(codes, frozen(np.array([0, codes.size], np.int64)), 1)
    return int(whole[0]), less


@njit(nogil=True, cache=True)
def _forms(
    codes: Codes, starts: NDArray[np.int64], shortest: int
) -> tuple[Hashes, Hashes, NDArray[np.int32]]:
    """FNV-1a of every word and, of words of `shortest` letters, of it less each letter."""
    offset, prime = np.uint64(14695981039346656037), np.uint64(1099511628211)
    count, size = starts.size - 1, 0
    for word in range(count):
        letters = starts[word + 1] - starts[word]
        size += letters if letters >= shortest else 0
    whole, less = np.empty(count, np.uint64), np.empty(size, np.uint64)
    of = np.empty(size, np.int32)
    at = 0
    for word in range(count):
        start, end = starts[word], starts[word + 1]
        hashed = offset
        for place in range(start, end):
            hashed = (hashed ^ np.uint64(codes[place])) * prime
        whole[word] = hashed
        if end - start < shortest:
            continue
        for left_out in range(start, end):
            hashed = offset
            for place in range(start, end):
                if place != left_out:
                    hashed = (hashed ^ np.uint64(codes[place])) * prime
            less[at], of[at] = hashed, word
            at += 1
    return whole, less, of
