"""How near the names of rows are to a typed text, by the edits between them, word by word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from retrievers.base import Docs, Features, Scores
from retrievers.edits import letters, similarities
from retrievers.name_table import Bytes, Gathered
from retrievers.postings import Offsets
from retrievers.segment import Floats
from retrievers.topk import frozen

COLUMNS = ("title_similarity", "best_similarity", "word_coverage", "name_coverage")

# Chosen among names that the reported figures leave out; all are flat around their values.
_WORDS = 16  # of the typed text; what a later word adds is not worth its time
_ALIKE = 0.5  # less similar spellings have nothing to do with each other
_BEGUN = 0.9  # of the similarity, for a last word that may not have been typed to its end
_UNTYPED = 0.2  # taken off where no word of a name was typed


def closeness(typed: Sequence[str], found: Gathered, weights: Floats, title: int) -> Features:
    """Columns `COLUMNS`, in [0, 1], of the n rows in `found`; NaN for a row without names.

    A word of `typed` (at least one) is as near to a name as to the name's nearest word, by 1 - the
    optimal string alignment distance over the longer length; the last word also to the beginnings
    of words. Coverage is the mean nearness of typed words ("word") or of the name's ("name"), each
    word with the square root of its letters. Similarity is word coverage less a share for what the
    name has besides, or the nearness of the texts as wholes ("linkinpark") where that is more.

    A row's names are compared one by one, times the `weights` (fields,) of their field, and all
    together without weight. "title" tells of the field numbered `title` alone, unweighted, and is
    NaN for a row without one; "best" and "name" of what fits best; "word" of all names together.
    """
    typed = typed[:_WORDS]
    spelt, ends = letters(found.word_lines)
    near = similarities(typed, spelt, ends, _ALIKE)
    begun = similarities(typed[-1:], spelt, ends, _ALIKE, heads=True)
    np.maximum(near[-1], np.float32(_BEGUN) * begun[0], out=near[-1])
    whole = similarities([" ".join(typed)], *letters(found.text_lines), _ALIKE)[0]
    typed_sizes = np.sqrt(np.array([len(word) for word in typed], np.float64))
    sizes = np.sqrt(np.diff(ends, prepend=-1) - 1.0)
    return _closeness(
        near, whole, typed_sizes, sizes, found.starts, found.fields, found.names,
        found.word_starts, found.words, frozen(weights), title,
    )  # fmt: skip


@njit(nogil=True, cache=True)
def _closeness(
    near: Scores,
    whole: Scores,
    typed_sizes: Floats,
    sizes: Floats,
    starts: Offsets,
    kinds: Bytes,
    names: Docs,
    word_starts: Offsets,
    words: Docs,
    weights: Floats,
    title: int,
) -> Features:
    typed = typed_sizes.size
    columns = np.full((starts.size - 1, 4), np.nan, np.float32)
    nearest, nearest_of_all = np.empty(typed), np.empty(typed)
    for row in range(starts.size - 1):
        if starts[row] == starts[row + 1]:
            continue
        of_title, best, best_covered = np.nan, -1.0, 0.0
        typed_of_all = size_of_all = 0.0
        nearest_of_all[:] = 0.0
        for entry in range(starts[row], starts[row + 1]):
            name, kind = names[entry], kinds[entry]
            typed_of_name = size_of_name = 0.0
            nearest[:] = 0.0
            for at in range(word_starts[name], word_starts[name + 1]):
                word, highest = words[at], 0.0
                for t in range(typed):
                    value = near[t, word]
                    highest = max(highest, value)
                    nearest[t] = max(nearest[t], value)
                typed_of_name += highest * sizes[word]
                size_of_name += sizes[word]
            covered = typed_of_name / size_of_name
            similarity = max(_similarity(nearest, typed_sizes, covered), whole[name])
            if kind == title and not of_title >= similarity:
                of_title = similarity
            if similarity * weights[kind] > best:
                best, best_covered = similarity * weights[kind], covered
            np.maximum(nearest_of_all, nearest, nearest_of_all)
            typed_of_all += typed_of_name
            size_of_all += size_of_name
        covered = typed_of_all / size_of_all
        together = _similarity(nearest_of_all, typed_sizes, covered)
        if starts[row + 1] - starts[row] > 1 and together > best:
            best, best_covered = together, covered
        columns[row, 0], columns[row, 1] = of_title, best
        columns[row, 2] = (nearest_of_all * typed_sizes).sum() / typed_sizes.sum()
        columns[row, 3] = best_covered
    return columns


@njit(nogil=True, cache=True)
def _similarity(nearest: Floats, sizes: Floats, covered: float) -> float:
    coverage: float = (nearest * sizes).sum() / sizes.sum()
    return coverage * (1.0 - _UNTYPED * (1.0 - covered))
