"""A static encoder, distilled from MiniLM: a vector a token, a text the weighted mean of its tokens.

Tulkens and van Dongen 2024, "Model2Vec: Fast State-of-the-Art Static Embeddings": each token goes through
the encoder on its own, the table's principal components are kept, and common tokens weigh less (Arora
et al. 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings"). No order, no context: a
hundredth of the time and a part of the quality.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from retrievers.minilm import MiniLM, clean

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TABLE, TOKENIZER = "static.npy", "static_tokenizer.json"
DIMENSIONS = 256
SMOOTH = 1e-4
"""Arora's a: a token of probability p weighs a / (a + p)."""


class StaticEncoder:
    """Vectors of `table` (vocabulary, dim), averaged over a text's tokens. Thread-safe.

    Made by `distil`, kept by `save`. A folder that holds one can be named as `encoder=` wherever a
    folder of a model can.
    """

    def __init__(self, table: NDArray[np.float32], tokenizer: str) -> None:
        from tokenizers import Tokenizer

        self._table = table
        self._written = tokenizer
        self._tokenizer: Tokenizer = Tokenizer.from_str(tokenizer)
        digest = hashlib.sha256(np.ascontiguousarray(table).tobytes() + tokenizer.encode())
        self.identity = f"static@{digest.hexdigest()[:16]}"

    @classmethod
    def distil(cls, encoder: MiniLM | None = None, dimensions: int = DIMENSIONS) -> Self:
        """From an encoder, by default the embedded one; no texts are needed."""
        vectors, tokenizer = (encoder or MiniLM()).static()
        if not 0 < dimensions <= vectors.shape[1]:
            raise ValueError(
                f"dimensions: found {dimensions}, expected 1 to {vectors.shape[1]}, those of the encoder"
            )
        centred = vectors - vectors.mean(axis=0)
        # The directions of the table in which it varies most, by its covariance.
        values, directions = np.linalg.eigh(centred.T @ centred)
        kept = directions[:, np.argsort(-values, kind="stable")[:dimensions]]
        # The vocabulary is in order of frequency, whose law is Zipf's.
        ranks = np.arange(1, len(vectors) + 1, dtype=np.float64)
        chances = 1.0 / ranks / (1.0 / ranks).sum()
        weights = SMOOTH / (SMOOTH + chances)
        return cls((centred @ kept * weights[:, None]).astype(np.float32), tokenizer)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        table = np.load(folder / TABLE, allow_pickle=False)
        return cls(table, (folder / TOKENIZER).read_text("utf-8"))

    def save(self, folder: Path) -> None:
        """Write into a folder, made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / TABLE, self._table)
        (folder / TOKENIZER).write_text(self._written, "utf-8")

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether a folder holds one."""
        return (folder / TABLE).is_file()

    def encode(self, texts: list[str], /) -> NDArray[np.float32]:
        """Shape (n, dim), L2-normalised; zeros for a text without tokens."""
        out = np.zeros((len(texts), self._table.shape[1]), np.float32)
        for row, text in zip(out, texts, strict=True):
            ids = self._tokenizer.encode(clean(text), add_special_tokens=False).ids
            if ids:
                total = self._table[ids].sum(axis=0)
                row[:] = total / max(float(np.sqrt(total @ total)), 1e-12)
        return out
