"""From text to unit vectors: what an encoder is, and the grid on which dot products are exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrievers.minilm import MiniLM
from retrievers.sentence_encoder import SentenceEncoder
from retrievers.static_encoder import StaticEncoder

if TYPE_CHECKING:
    from retrievers.embedding_cache import EmbeddingCache

Stored = NDArray[np.float16]
"""Unit vectors on the grid, shape (n, dim)."""
Vector = NDArray[np.float32]
"""One unit vector on the grid, shape (dim,)."""

STEP = 2.0**-11
"""Embeddings are rounded to multiples of this.

Such a number within [-1, 1] is a float16, a product of two is a multiple of 2**-22, and by
Cauchy-Schwarz every partial sum of a dot product stays below 2: a float32 holds all of them without
rounding. So a cosine has the same bits in whatever order, batch, index or library it is summed,
and equal texts tie exactly. The price is a cosine of about 0.999996 to the unrounded vector.
"""

CHUNK = 256
"""Texts handed to an encoder at once; what a cache has lost at most when a build is interrupted."""


@runtime_checkable
class Encoder(Protocol):
    """Anything that turns texts into vectors.

    May also have `identity: str`, naming model and weights, under which embeddings are cached and
    a saved index is checked; without it, the name of its class stands in. Searches call it from
    several threads.
    """

    def encode(self, texts: list[str], /) -> NDArray[np.float32]:
        """Shape (n, dim), finite; need not be normalised. The same text gives the same vector."""


@lru_cache(maxsize=1)
def default_encoder() -> MiniLM:
    """all-MiniLM-L6-v2 of the extra `minilm`, one for the process; reads nothing until it encodes."""
    return MiniLM()


def resolve(encoder: Encoder | str | Path | None) -> Encoder:
    """An encoder as users may name one: itself, a sentence-transformers name or folder, the folder of a
    static one, the default."""
    if encoder is None:
        return default_encoder()
    if isinstance(encoder, (str, Path)):
        folder = Path(encoder)
        return (
            StaticEncoder.load(folder) if StaticEncoder.is_in(folder) else SentenceEncoder(encoder)
        )
    if not isinstance(encoder, Encoder):
        raise TypeError(
            f"encoder: expected an object with encode(list[str]), a sentence-transformers name or "
            f"folder, or None for the default; found {type(encoder).__name__}"
        )
    return encoder


def identity_of(encoder: Encoder) -> str:
    """The name under which embeddings of this encoder are cached and checked."""
    named = getattr(encoder, "identity", None)
    if isinstance(named, str) and named:
        return named
    kind = type(encoder)
    return f"{kind.__module__}.{kind.__qualname__}"


def on_grid(raw: ArrayLike) -> Stored:
    """L2-normalised and rounded to `STEP`; a vector of zeros stays one. Shape (n, dim) as given."""
    vectors = np.asarray(raw, np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    stored: Stored = (np.rint(units / STEP) * STEP).astype(np.float16)
    return stored


def _encode(encoder: Encoder, texts: list[str]) -> Stored:
    raw = np.asarray(encoder.encode(texts))
    if raw.ndim != 2 or raw.shape[0] != len(texts) or raw.shape[1] == 0:
        raise ValueError(
            f"encoder {identity_of(encoder)}: encode returned shape {raw.shape} for "
            f"{len(texts)} texts, expected ({len(texts)}, dim). It must give one row a text"
        )
    if not np.isfinite(raw).all():
        broken = texts[int(np.flatnonzero(~np.isfinite(raw).all(axis=1))[0])]
        raise ValueError(
            f"encoder {identity_of(encoder)}: encode returned a value that is not finite, for the "
            f"text {broken[:80]!r}. Half precision overflowing is the usual cause"
        )
    return on_grid(raw)


def embed(
    encoder: Encoder,
    texts: Sequence[str],
    cache: EmbeddingCache | None = None,
    *,
    progress: bool = False,
) -> Stored:
    """The embeddings of at least one text, each distinct text encoded once and only if uncached.

    Chunks reach the cache as they are done. `progress` shows a bar on standard error.
    """
    distinct = list(dict.fromkeys(texts))
    identity = identity_of(encoder)
    known: dict[str, NDArray[np.float16]] = {}
    if cache is not None:
        found, vectors = cache.get(identity, distinct)
        known = dict(zip((distinct[i] for i in np.flatnonzero(found)), vectors, strict=True))
    missing = [text for text in distinct if text not in known]
    chunks: Iterable[int] = range(0, len(missing), CHUNK)
    if progress and missing:
        from tqdm import tqdm

        chunks = tqdm(chunks, desc="encoding", unit=f" x {CHUNK} texts")
    for start in chunks:
        chunk = missing[start : start + CHUNK]
        encoded = _encode(encoder, chunk)
        if cache is not None:
            cache.put(identity, chunk, encoded)
        known.update(zip(chunk, encoded, strict=True))
    widths = {vector.shape[0] for vector in known.values()}
    if len(widths) > 1:
        raise ValueError(
            f"encoder {identity}: found vectors of {sorted(widths)} dimensions, expected one. "
            f"Two encoders that share an identity may share a cache: give each its own `identity`"
        )
    return np.stack([known[text] for text in texts])


class QueryVectors:
    """Query text to vector through a bounded cache of the latest `size` texts; thread-safe.

    Queries are encoded one at a time, so that a vector owes nothing to the batch it came in.
    """

    def __init__(self, encoder: Encoder, size: int) -> None:
        def encode(text: str) -> Vector:
            vector: Vector = _encode(encoder, [text])[0].astype(np.float32)
            vector.flags.writeable = False
            return vector

        self._encode = lru_cache(maxsize=size)(encode)

    def __call__(self, text: str) -> Vector:
        """Shape (dim,), read-only."""
        return self._encode(text)
