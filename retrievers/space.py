"""The co-consumption space as `personal` uses it: items, words of queries, and a neighbourhood."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from retrievers.base import Docs
from retrievers.coconsumption import Embedding, Vectors, fit, unit
from retrievers.history import UserHistory
from retrievers.tally import Floats, Tally
from retrievers.topk import best

NEIGHBOURHOOD = 8192
"""Neighbours are sought among the items that most users have, so that no search reads all."""


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """`words`: line of a word in `word_vectors` (w, d); `near` (n,): rows, ascending, whose unit
    vectors are `near_units` (n, d).
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
        return cls(Embedding.none(), {}, empty, np.empty(0, np.int32), empty)

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
        by_user = _stack([(history.docs, history.strength()) for history in users], rows)
        liked = [(tally, tally.weights > 0) for tally in queries.values()]
        by_query = _stack([(tally.docs[up], tally.weights[up]) for tally, up in liked], rows)
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
        return cls(embedding, words, unit(summed), near, embedding.units[embedding.lines(near)])

    def words_of(self, key: str) -> Vectors:
        """The direction of the query's words, of length 1 or zero; shape (d,)."""
        lines = [self.words[word] for word in key.split() if word in self.words]
        return unit(self.word_vectors[lines].sum(axis=0))

    def neighbours(self, vector: Vectors, n: int) -> Docs:
        """The n rows of the neighbourhood nearest in direction, best first."""
        return best(self.near, self.near_units @ vector, n).docs

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
        return cls(
            embedding,
            {word: line for line, word in enumerate(names)},
            np.load(folder / "word_vectors.npy"),
            near,
            embedding.units[embedding.lines(near)],
        )


def _stack(lists: list[tuple[Docs, Floats]], columns: int) -> csr_matrix:
    """Rows of a matrix from (columns, values) each."""
    starts = np.cumsum([0, *(docs.size for docs, _ in lists)])
    docs = np.concatenate([np.empty(0, np.int32), *(docs for docs, _ in lists)])
    values = np.concatenate([np.empty(0), *(values for _, values in lists)])
    return csr_matrix((values, docs, starts), (len(lists), columns))
