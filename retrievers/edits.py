"""Edit distances of a few typed words to hundreds of spellings, compiled.

Optimal string alignment (edits, and exchanges of neighbouring letters), bit by bit: Hyyrö 2003, "A
Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances". The letters of a typed word are
the bits of a machine word, so that a letter of a spelling costs a dozen instructions. The values are
RapidFuzz's, without a Python string a spelling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from retrievers.base import Scores

Letters = NDArray[np.uint32]
Ends = NDArray[np.int64]

LONGEST = 64
"""Letters of a typed word that a machine word holds; for longer ones RapidFuzz is asked."""
TABLE = 128
LINE = 10


def letters(lines: str) -> tuple[Letters, Ends]:
    """Code points of texts, each closed by a line break, and the place of each break."""
    codes = np.frombuffer(lines.encode("utf-32-le"), np.uint32)
    return codes, np.flatnonzero(codes == LINE)


def similarities(
    typed: Sequence[str], codes: Letters, ends: Ends, cutoff: float, *, heads: bool = False
) -> Scores:
    """Shape (typed, spellings): 1 - distance over the longer length, 0 where that is below `cutoff`.

    `codes` and `ends` as from `letters`. `heads`: of each spelling only as many letters are compared
    as the typed word has.
    """
    out = np.empty((len(typed), ends.size), np.float32)
    for row, word in zip(out, typed, strict=True):
        pattern = np.frombuffer(word.encode("utf-32-le"), np.uint32)
        if 0 < pattern.size <= LONGEST:
            _compare(pattern, codes, ends, cutoff, heads, row)
        else:
            lines = codes.tobytes().decode("utf-32-le").split("\n")[:-1]
            shown = [line[: len(word)] for line in lines] if heads else lines
            scorer = OSA.normalized_similarity
            row[:] = cdist([word], shown, scorer=scorer, score_cutoff=cutoff, dtype=np.float32)[0]
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _compare(
    pattern: Letters, codes: Letters, ends: Ends, cutoff: float, heads: bool, out: Scores
) -> None:
    one, none = np.uint64(1), np.uint64(0)
    size = pattern.size
    table = np.zeros(TABLE, np.uint64)
    for place in range(size):
        if pattern[place] < TABLE:
            table[pattern[place]] |= one << np.uint64(place)
    last = one << np.uint64(size - 1)
    start = 0
    for spelling in range(ends.size):
        length = ends[spelling] - start
        if heads:
            length = min(length, size)
        longer = max(length, size)
        # A letter too many is an edit at least.
        if 1.0 - abs(length - size) / longer < cutoff:
            out[spelling] = 0.0
            start = ends[spelling] + 1
            continue
        up, down, zero, before = ~none, none, none, none
        distance = size
        for place in range(start, start + length):
            code = codes[place]
            here = none
            if code < TABLE:
                here = table[code]
            else:
                for other in range(size):
                    if pattern[other] == code:
                        here |= one << np.uint64(other)
            exchanged = ((~zero & here) << one) & before
            zero = (((here & up) + up) ^ up) | here | down | exchanged
            right, left = down | ~(zero | up), zero & up
            distance += int((right & last) != none) - int((left & last) != none)
            right = (right << one) | one
            up, down = (left << one) | ~(zero | right), right & zero
            before = here
        similarity = 1.0 - distance / longer
        out[spelling] = similarity if similarity >= cutoff else 0.0
        start = ends[spelling] + 1
