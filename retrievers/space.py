"""The co-consumption space as `personal` uses it: items, words of queries, and a neighbourhood."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from retrievers.base import Docs
from retrievers.coconsumption import Embedding, Vectors, fit, unit
from retrievers.history import UserHistory, strength
from retrievers.tally import Tally
from retrievers.topk import best, frozen

NEIGHBOURHOOD = 8192
"""Neighbours are sought among the items that most users have, so that no search reads all."""


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """`words`: line of a word in `word_vectors` (w, d); `near` (n,): rows, ascending, whose unit
    vectors are the columns of `near_units` (d, n).
    """

    embedding: Embedding
    words: Mapping[str, int]
    word_vectors: Vectors
    near: Docs
    near_units: Vectors

    @classmethod
    def none(cls) -> Self:
        """Every vector is zero, nothing is near."""
        empty = np.zeros((0, 1), np.float32)
        return cls(Embedding.none(), {}, empty, np.empty(0, np.int32), np.zeros((1, 0), np.float32))

    @classmethod
    def fit(
        cls,
        users: Iterable[UserHistory],
        queries: Mapping[str, Tally],
        rows: int,
        rank: int,
        seed: int,
    ) -> Self:
        """From the strength of users' items and the clicks after queries; a word is its queries."""
        by_user = _user_items(list(users), rows)
        by_query = _query_items(list(queries.values()), rows)
        embedding, vectors = fit(by_user, by_query, rank, seed)
        words: dict[str, int] = {}
        line, number, weight = [], [], []
        for at, (key, tally) in enumerate(queries.items()):
            for word in key.split():
                line.append(words.setdefault(word, len(words)))
                number.append(at)
                weight.append(np.log1p(tally.total))
        shape = (len(words), len(queries))
        summed = csr_matrix((np.array(weight, np.float32), (line, number)), shape) @ vectors
        consumers = np.bincount(by_user.indices, minlength=rows)
        used = np.flatnonzero(consumers)
        most = used[np.argsort(-consumers[used], kind="stable")[:NEIGHBOURHOOD]]
        near = np.sort(most).astype(np.int32)
        return cls(embedding, words, unit(summed), near, _columns(embedding, near))

    def words_of(self, key: str) -> Vectors:
        """The direction of the query's words, of length 1 or zero; shape (d,)."""
        lines = [self.words[word] for word in key.split() if word in self.words]
        return unit(self.word_vectors[lines].sum(axis=0))

    def neighbours(self, vector: Vectors, n: int) -> Docs:
        """The n rows of the neighbourhood nearest in direction, best first."""
        return best(self.near, _dots(frozen(self.near_units), frozen(vector)), n).docs

    def save(self, folder: Path) -> None:
        """Write .npy files and the words as JSON."""
        (folder / "words.json").write_text(json.dumps(list(self.words)))
        np.save(folder / "word_vectors.npy", self.word_vectors)
        np.save(folder / "near.npy", self.near)
        self.embedding.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        embedding = Embedding.load(folder)
        names: list[str] = json.loads((folder / "words.json").read_text())
        near = np.load(folder / "near.npy")
        # A copy that goes again: of a mapped file, lines from all over would stay in memory.
        items = np.load(folder / "items.npy")
        return cls(
            embedding,
            {word: line for line, word in enumerate(names)},
            np.load(folder / "word_vectors.npy"),
            near,
            _columns(replace(embedding, items=items), near),
        )


def _columns(embedding: Embedding, near: Docs) -> Vectors:
    return np.ascontiguousarray(embedding.units(near).T)


def _user_items(users: list[UserHistory], rows: int) -> csr_matrix:
    """Users × items, the strength of each."""
    docs = np.concatenate([np.empty(0, np.int32), *(history.docs for history in users)])
    use, touches = (
        np.concatenate([np.empty(0), *(getattr(history, name) for history in users)])
        for name in ("use", "touches")
    )
    starts = np.cumsum([0, *(history.docs.size for history in users)])
    return csr_matrix((strength(use, touches), docs, starts), (len(users), rows))


def _query_items(tallies: list[Tally], rows: int) -> csr_matrix:
    """Queries × items, the counts above zero."""
    docs = np.concatenate([np.empty(0, np.int32), *(tally.docs for tally in tallies)])
    weights = np.concatenate([np.empty(0), *(tally.weights for tally in tallies)])
    lines = np.repeat(np.arange(len(tallies)), [tally.docs.size for tally in tallies])
    liked = weights > 0
    shape = (len(tallies), rows)
    return csr_matrix((weights[liked], (lines[liked], docs[liked])), shape)


@njit(nogil=True, cache=True)
def _dots(lines: Vectors, vector: Vectors) -> Vectors:
    # Compiled, since a threaded matrix library costs more than it saves on so few lines; one
    # dimension after the other, so that the inner loop is vectorised without reordering a sum.
    out = np.zeros(lines.shape[1], np.float32)
    for j in range(lines.shape[0]):
        for i in range(lines.shape[1]):
            out[i] += lines[j, i] * vector[j]
    return out
