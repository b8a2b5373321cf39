"""Which queries a document is likely to be searched by, before anybody has searched for it.

They fill the query-to-entity memory at the start, as in Amazon Music's entity search, where
predicted pairs of query and entity stand in until there are clicks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.arrays import keep, mapped
from retrievers.base import BoolMask, Docs, Document
from retrievers.near_queries import query_key

CREATORS = ("artist", "artists", "author", "creator", "brand", "director")
CATEGORIES = ("genre", "genres", "tag", "tags", "category", "mood", "album", "era", "language")
PER_QUERY = 1000
"""How many documents one predicted query can name: the most probable, then the most popular."""

_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_FEATURING = re.compile(r"\s(?:feat|ft|featuring)\b.*$|\s-\s.*$", re.IGNORECASE)


def bare_title(title: str) -> str:
    """The title without asides in brackets, featured artists and what follows a dash."""
    return _FEATURING.sub("", _ASIDE.sub(" ", title)).strip()


def predicted_queries(document: Document) -> dict[str, float]:
    """Query keys (see `query_key`) with a prior weight in (0, 1]."""
    title, bare = document.title, bare_title(document.title)
    creators = [name for key in CREATORS for name in document.values(key)]
    categories = [value for key in CATEGORIES for value in document.values(key)]
    types = (document.type,) if document.type else ()

    def pairs() -> Iterator[tuple[str, float]]:
        yield title, 1.0
        yield bare, 0.9
        for name in creators:
            # A key has no order of words: this is "title artist" as well.
            yield f"{name} {bare}", 0.9
            yield f"{name} {title}", 0.9
            yield name, 0.4
            yield from ((f"{name} {kind}", 0.3) for kind in types)
        for value in categories:
            yield value, 0.2
            yield from ((f"{value} {kind}", 0.2) for kind in types)
        yield from ((f"{title} {kind}", 0.8) for kind in types)
        yield from ((kind, 0.05) for kind in types)

    weights: dict[str, float] = {}
    for text, weight in pairs():
        key = query_key(text)
        if key:
            weights[key] = max(weights.get(key, 0.0), weight)
    return weights


def popularity(document: Document) -> float:
    """`metadata["popularity"]` where it is a finite number ≥ 0, otherwise 0; in its own unit."""
    value = document.metadata.get("popularity")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < np.inf:
        return 0.0
    return float(value)


def _hash(key: str) -> int:
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """Pairs of query and document, sorted by (hash, weight and popularity descending, row)."""

    hashes: NDArray[np.uint64]
    docs: Docs
    weights: NDArray[np.float32]
    popularity: NDArray[np.float32]

    @classmethod
    def sorted(cls, parts: Sequence[Self]) -> Self:
        hashes = np.concatenate([part.hashes for part in parts])
        docs = np.concatenate([part.docs for part in parts])
        weights = np.concatenate([part.weights for part in parts])
        popular = np.concatenate([part.popularity for part in parts])
        order = np.lexsort((docs, -popular, -weights, hashes))
        return cls(hashes[order], docs[order], weights[order], popular[order])

    def among(self, live: BoolMask) -> Self:
        """Without the rows that are not `live`."""
        kept = live[self.docs]
        return type(self)(
            self.hashes[kept], self.docs[kept], self.weights[kept], self.popularity[kept]
        )

    @classmethod
    def load(cls, folder: Path, number: int) -> Self:
        """One of those that `PredictedQueries.save` wrote."""
        return cls(
            mapped(folder / f"predicted_hashes_{number}.npy", np.uint64),
            mapped(folder / f"predicted_docs_{number}.npy", np.int32),
            mapped(folder / f"predicted_weights_{number}.npy", np.float32),
            mapped(folder / f"predicted_popularity_{number}.npy", np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PredictedQueries:
    """An index of predicted queries.

    Segments at least halve in size from one to the next, so adding a few documents to a large
    catalogue moves little, and a look-up reads few of them. Keys are kept as 64-bit hashes.
    """

    segments: tuple[_Segment, ...] = ()
    most_popular: float = 0.0

    def plus(self, rows: Docs, documents: Iterable[Document]) -> PredictedQueries:
        """With more documents, under rows not known before."""
        hashes, docs, weights, popular = [], [], [], []
        most = self.most_popular
        for row, document in zip(rows.tolist(), documents, strict=True):
            known = popularity(document)
            most = max(most, known)
            for key, weight in predicted_queries(document).items():
                hashes.append(_hash(key))
                docs.append(row)
                weights.append(weight)
                popular.append(known)
        if not hashes:
            return self
        parts = [
            _Segment(
                np.array(hashes, np.uint64),
                np.array(docs, np.int32),
                np.array(weights, np.float32),
                np.array(popular, np.float32),
            )
        ]
        kept = list(self.segments)
        size = len(hashes)
        while kept and kept[-1].docs.size < 2 * size:
            size += kept[-1].docs.size
            parts.append(kept.pop())
        return PredictedQueries((*kept, _Segment.sorted(parts)), most)

    def look_up(self, key: str) -> tuple[Docs, NDArray[np.float64]]:
        """At most `PER_QUERY` rows a segment, and the prior of each: in (0, 1], in all at most 1.

        Half of a weight is scaled by the document's share of the highest popularity.
        """
        hashed = np.uint64(_hash(key))
        docs, weights = [np.empty(0, np.int32)], [np.empty(0)]
        for segment in self.segments:
            low = int(np.searchsorted(segment.hashes, hashed))
            high = int(np.searchsorted(segment.hashes, hashed, "right"))
            part = slice(low, min(high, low + PER_QUERY))
            share = segment.popularity[part] / max(self.most_popular, 1e-9)
            docs.append(segment.docs[part])
            weights.append(segment.weights[part] * (0.5 + 0.5 * share))
        found = np.concatenate(weights)
        return np.concatenate(docs), found / max(1.0, float(found.sum()))

    def merge(self, live: BoolMask) -> PredictedQueries:
        """One segment, without the rows that are not `live` (shape (rows,))."""
        if len(self.segments) < 2 and all(live[part.docs].all() for part in self.segments):
            return self
        parts = [part.among(live) for part in self.segments]
        most = max((float(part.popularity.max(initial=0.0)) for part in parts), default=0.0)
        return PredictedQueries((_Segment.sorted(parts),) if parts else (), most)

    def save(self, folder: Path) -> None:
        """Write the segments as .npy files."""
        about = np.array([len(self.segments), self.most_popular], np.float64)
        np.save(folder / "predicted.npy", about)
        for number, segment in enumerate(self.segments):
            for column in fields(segment):
                path = folder / f"predicted_{column.name}_{number}.npy"
                keep(path, getattr(segment, column.name))

    @classmethod
    def load(cls, folder: Path) -> PredictedQueries:
        """Read what `save` wrote, mapped from the files."""
        count, most = np.load(folder / "predicted.npy").tolist()
        segments = tuple(_Segment.load(folder, number) for number in range(int(count)))
        return cls(segments, most)
