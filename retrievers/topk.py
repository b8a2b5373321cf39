"""Selecting the best rows, ties broken by row, everywhere in the same way."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retrievers.base import Docs, Hits, Scores

_Element = TypeVar("_Element", bound=np.generic)


def frozen(array: NDArray[_Element]) -> NDArray[_Element]:
    """A read-only view.

    Compiled functions are specialised by whether an array can be written; given only read-only
    inputs, arrays mapped from files and fresh ones share one specialisation.
    """
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view


@njit(nogil=True, cache=True)
def push(scores: Scores, docs: Docs, size: int, score: float, doc: int) -> int:
    """Offer one row to a heap of the best `scores.size`, its worst at index 0; the new size.

    One row is worse than another where its score is lower or, at equal scores, its id is higher.
    """
    if size < scores.size:
        at = size
        size += 1
        while at > 0:
            parent = (at - 1) >> 1
            if scores[parent] < score or (scores[parent] == score and docs[parent] > doc):
                break
            scores[at], docs[at] = scores[parent], docs[parent]
            at = parent
    elif score < scores[0] or (score == scores[0] and doc > docs[0]):
        return size
    else:
        at = sink(scores, docs, size, score, doc)
    scores[at], docs[at] = score, doc
    return size


@njit(nogil=True, cache=True)
def sink(scores: Scores, docs: Docs, size: int, score: float, doc: int) -> int:
    """Where a row that takes the place of the worst comes to stand, the others moved up."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return at
        other = child + 1
        if other < size and (
            scores[other] < scores[child]
            or (scores[other] == scores[child] and docs[other] > docs[child])
        ):
            child = other
        if scores[child] > score or (scores[child] == score and docs[child] < doc):
            return at
        scores[at], docs[at] = scores[child], docs[child]
        at = child


@njit(nogil=True, cache=True)
def order(scores: Scores, docs: Docs, size: int) -> None:
    """Turn the heap in the first `size` entries into a list, best first."""
    while size > 1:
        size -= 1
        score, doc = scores[size], docs[size]
        scores[size], docs[size] = scores[0], docs[0]
        at = sink(scores, docs, size, score, doc)
        scores[at], docs[at] = score, doc


@njit(nogil=True, cache=True)
def _select(docs: Docs, scores: Scores, best_docs: Docs, best_scores: Scores) -> None:
    size = 0
    for i in range(docs.size):
        size = push(best_scores, best_docs, size, scores[i], docs[i])
    order(best_scores, best_docs, size)


def best(docs: Docs, scores: NDArray[np.floating], k: int) -> Hits:
    """The k best of the given rows: by score, descending, then by row, ascending.

    Scores are compared as float32, so that what ties in the answer is in the order of rows.
    """
    k = min(k, docs.size)
    if k <= 0:
        return Hits.none()
    best_docs, best_scores = np.empty(k, np.int32), np.empty(k, np.float32)
    _select(
        frozen(np.ascontiguousarray(docs, np.int32)),
        frozen(np.ascontiguousarray(scores, np.float32)),
        best_docs,
        best_scores,
    )
    return Hits(best_docs, best_scores)
