"""Small dense indexes, the encoders they are built with, and the exact answers to compare with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Document, Hits
from retrievers.dense import Dense
from retrievers.encoder import on_grid

Floats = NDArray[np.float32]
DIM = 24


class Words:
    """The sum of a fixed random direction for each word."""

    identity = "words"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: list[str], /) -> Floats:
        self.asked += texts
        return np.array([self.one(text) for text in texts], np.float32)

    @staticmethod
    def one(text: str) -> Floats:
        total = np.zeros(DIM, np.float32)
        for word in text.split():
            total += np.frombuffer(hashlib.shake_128(word.encode()).digest(DIM), np.int8)
        return total


WORDS = ["rain", "sun", "love", "night", "train", "road", "blue", "gold"]


def documents(count: int, seed: int = 0) -> list[Document]:
    """Titles of one to three of a few words, so that many are equal."""
    rng = np.random.default_rng(seed)
    return [
        Document(f"d{i}", " ".join(rng.choice(WORDS, rng.integers(1, 4)))) for i in range(count)
    ]


def built(count: int, *, seed: int = 0, parts: int = 1, exact_rows: int = 50_000) -> Dense:
    dense = Dense(Words(), exact_rows=exact_rows)
    all_documents = documents(count, seed)
    for rows in np.array_split(np.arange(count, dtype=np.int32), parts):
        dense.add(rows, [all_documents[row] for row in rows])
    return dense


def truth(texts: Sequence[str], query: str) -> Hits:
    """The full ranking, in the arithmetic of float64."""
    encoder = Words()
    stored = on_grid(encoder.encode(list(texts))).astype(np.float64)
    scores = stored @ on_grid(encoder.encode([query]))[0].astype(np.float64)
    order = np.lexsort((np.arange(len(texts)), -scores))
    return Hits(order.astype(np.int32), scores[order].astype(np.float32))


def same(found: Hits, expected: Hits) -> bool:
    return (
        found.docs.tobytes() == expected.docs.tobytes()
        and found.scores.tobytes() == expected.scores.tobytes()
    )


def filtered(hits: Hits, allowed: NDArray[np.bool_]) -> Hits:
    keep = allowed[hits.docs]
    return Hits(hits.docs[keep], hits.scores[keep])


class Planted:
    """Texts are numbers of vectors."""

    def __init__(self, stored: NDArray[np.float16]) -> None:
        self.stored = stored

    def encode(self, texts: list[str], /) -> Floats:
        return self.stored[[int(text) for text in texts]].astype(np.float32)
