"""The dense generator: documents near the query in the space of a sentence encoder."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from retrievers.base import BoolMask, Docs, Document, Features, Hits, Query, Retriever, Scores
from retrievers.embedding_cache import EmbeddingCache
from retrievers.encoder import Encoder, QueryVectors, Stored, embed, identity_of, resolve
from retrievers.vectors import VectorIndex

FORMAT = 1
TEXT_HEAD = 1000
"""Characters of a document's text that are embedded: about what 256 tokens hold."""


def document_text(document: Document) -> str:
    """What is embedded of a document: title, artist, type, genres and tags, the head of its text.

    Parts are joined by ". "; metadata is read under artist, genre, genres and tags.
    """
    labels = [value for key in ("genre", "genres", "tags") for value in document.values(key)]
    parts = (
        document.title,
        ", ".join(document.values("artist")),
        document.type or "",
        ", ".join(dict.fromkeys(labels)),
        document.text[:TEXT_HEAD],
    )
    return ". ".join(part for part in map(str.strip, parts) if part)


def _name(text: Callable[[Document], str]) -> str:
    return f"{text.__module__}.{getattr(text, '__qualname__', type(text).__qualname__)}"


class Dense(Retriever):
    """Cosine similarity of embeddings, over a FAISS index.

    `encoder`: an `Encoder`, a sentence-transformers name or folder, or None for the default
    (`retrievers.minilm`), loaded when first needed. `cache`: an `EmbeddingCache` or the folder of
    one. `text` gives what is embedded of a document. Up to `exact_rows` vectors the answer is
    exact; above, it comes from an approximate index whose measured recall is `recall`, trained
    with `seed`. `query_cache` bounds the query vectors kept. `progress` shows a bar while
    documents are encoded.
    """

    name: ClassVar[str] = "dense"
    by_text: ClassVar[bool] = True
    feature_names: tuple[str, ...] = ("cosine",)

    def __init__(
        self,
        encoder: Encoder | str | Path | None = None,
        *,
        cache: EmbeddingCache | Path | None = None,
        text: Callable[[Document], str] = document_text,
        exact_rows: int = 50_000,
        seed: int = 0,
        query_cache: int = 4096,
        progress: bool = False,
    ) -> None:
        if exact_rows < 0 or query_cache < 0:
            raise ValueError(
                f"exact_rows, query_cache: found {exact_rows}, {query_cache}, expected sizes >= 0"
            )
        self.encoder = resolve(encoder)
        self.progress = progress
        self._cache = EmbeddingCache(cache) if isinstance(cache, Path) else cache
        self._text = text
        self._exact_rows = exact_rows
        self._seed = seed
        # Shared by copies: it depends on the encoder alone.
        self._vector = QueryVectors(self.encoder, query_cache)
        self.index: VectorIndex | None = None  # replaced, never changed

    @property
    def recall(self) -> float:
        """Recall of the first 100 against the exact answer, measured at training; 1 where exact."""
        return 1.0 if self.index is None else self.index.recall

    def retrieve(self, query: Query, k: int, allowed: BoolMask | None = None) -> Hits:
        """As `Retriever.retrieve`; scores are cosines.

        In an approximate index a filter that leaves less than half of the rows is searched
        deeper than the unfiltered query, so that it may find rows that one misses.
        """
        return self.retrieve_many([query], k, allowed)[0]

    def retrieve_many(
        self, queries: Sequence[Query], k: int, allowed: BoolMask | None = None
    ) -> list[Hits]:
        """Equal to the byte to `retrieve` of each."""
        index = self.index
        answers = [Hits.none() for _ in queries]
        asked = [i for i, query in enumerate(queries) if query.text.strip()]
        if index is None or not asked or k <= 0:
            return answers
        vectors = np.stack([self._query_vector(index, queries[i].text) for i in asked])
        for i, hits in zip(asked, index.search(vectors, k, allowed), strict=True):
            answers[i] = hits
        return answers

    def similarity(self, query: Query, docs: Docs) -> Scores:
        """The cosine of the query to each row, shape (n,), as `retrieve` would score it.

        NaN for a row that is not indexed, and everywhere for an empty query.
        """
        index = self.index
        if index is None or not query.text.strip():
            return np.full(len(docs), np.nan, np.float32)
        return index.products(self._query_vector(index, query.text), docs)

    def describe(self, query: Query, docs: Docs) -> Features:
        """One column, `similarity`."""
        return self.similarity(query, docs)[:, None]

    def add(self, rows: Docs, documents: Sequence[Document]) -> None:
        """Embed and index; in an approximate index of n rows, cells are made anew at 2n."""
        if len(rows) != len(documents):
            raise ValueError(f"add: found {len(rows)} rows for {len(documents)} documents")
        self._check_rows(rows)
        self.add_embedded(rows, self.embed(documents))

    def embed(self, documents: Sequence[Document]) -> Stored:
        """The embeddings of documents, shape (n, dim)."""
        if not documents:
            return np.empty((0, 0), np.float16)
        texts = [self._text(document) for document in documents]
        vectors = embed(self.encoder, texts, self._cache, progress=self.progress)
        if self.index is not None:
            self._checked(self.index, vectors)
        return vectors

    def add_embedded(self, rows: Docs, vectors: Stored) -> None:
        """As `add`, of documents with these embeddings (see `embed`)."""
        if len(rows) == 0:
            return
        self._check_rows(rows)
        index = self.index
        if index is None:
            index = VectorIndex.empty(vectors.shape[1], self._exact_rows, self._seed)
        self._checked(index, vectors)
        self.index = index.plus(np.asarray(rows, np.int32), vectors)

    def _check_rows(self, rows: Docs) -> None:
        index = self.index
        last = -1 if index is None or index.rows.size == 0 else int(index.rows[-1])
        if len(rows) and (rows[0] <= last or (np.diff(rows) <= 0).any()):
            raise ValueError(
                f"rows: expected ascending rows above {last}, the last one indexed; found "
                f"{rows[:5].tolist()}... Were the documents added before?"
            )

    @property
    def outside(self) -> float:
        """Vectors outside the cells they would have, as a share of those that made the cells."""
        base = None if self.index is None else self.index.base
        if self.index is None or base is None or not base.trained:
            return 0.0
        return self.index.rows.size / base.trained - 1.0

    def holding(self, other: Dense) -> Dense:
        """With the index of another, and its own encoder and caches."""
        twin = copy.copy(self)
        twin.index = other.index
        return twin

    def merge(self) -> None:
        """Make the index anew, as if its vectors had been added at once."""
        if self.index is not None:
            self.index = self.index.anew()

    def remove(self, rows: Docs) -> None:
        """Never return these rows again."""
        if self.index is not None:
            self.index = self.index.minus(np.asarray(rows, np.int32))

    def save(self, folder: Path) -> None:
        """Write manifest.json, the FAISS index and arrays. Neither encoder nor cache is written."""
        manifest = {
            "format": FORMAT,
            "encoder": identity_of(self.encoder),
            "text": _name(self._text),
            "exact_rows": self._exact_rows,
            "seed": self._seed,
            "index": None if self.index is None else self.index.save(folder),
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")

    @classmethod
    def load(
        cls,
        folder: Path,
        encoder: Encoder | str | Path | None = None,
        *,
        cache: EmbeddingCache | Path | None = None,
        text: Callable[[Document], str] = document_text,
    ) -> Self:
        """Read what `save` wrote; `encoder` and `text` must be those it was built with."""
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        loaded = cls(
            encoder,
            cache=cache,
            text=text,
            exact_rows=manifest.get("exact_rows", 0),
            seed=manifest.get("seed", 0),
        )
        for key, given, cause in (
            ("format", FORMAT, "The index was saved by another version: build it again"),
            (
                "encoder",
                identity_of(loaded.encoder),
                "Vectors of different encoders cannot be compared: give `encoder` as it was when "
                "the index was built, or build it again",
            ),
            ("text", _name(text), "Give `text` as it was when the index was built"),
        ):
            if manifest.get(key) != given:
                raise ValueError(
                    f"{path}: found {key} {manifest.get(key)!r}, expected {given!r}. {cause}"
                )
        if manifest["index"] is not None:
            loaded.index = VectorIndex.load(folder, manifest["index"])
        return loaded

    def _query_vector(self, index: VectorIndex, text: str) -> NDArray[np.float32]:
        vector = self._vector(text)
        self._checked(index, vector)
        return vector

    def _checked(self, index: VectorIndex, vectors: NDArray[np.floating]) -> None:
        if vectors.shape[-1] != index.dim:
            raise ValueError(
                f"encoder {identity_of(self.encoder)}: found vectors of {vectors.shape[-1]} "
                f"dimensions, expected {index.dim}, those of the index. It is another encoder "
                f"than the index was built with"
            )
