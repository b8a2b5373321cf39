"""A generated catalogue of any size, music-like: documents, embeddings, a warm log, queries.

The same numbers give the same bytes. Words follow Zipf's law; documents gather in styles that share
words, and their embeddings lie around what the encoder says of a style's words, so that a query,
encoded as usual, falls near them: encoding a million texts would take most of an hour.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import Document, Event, LoggedSearch
from retrievers.dense import document_text
from retrievers.embedding_cache import EmbeddingCache
from retrievers.encoder import Encoder, identity_of, on_grid
from retrievers.minilm import packaged_model

Ints = NDArray[np.int64]

TYPES = ("track", "album", "artist", "playlist", "podcast")
TYPE_SHARES = (0.7, 0.15, 0.1, 0.04, 0.01)
GENRES = (
    "rock", "pop", "jazz", "hip hop", "metal", "folk", "soul", "country", "techno", "house",
    "ambient", "classical", "reggae", "blues", "punk", "latin", "disco", "funk", "indie", "gospel",
)  # fmt: skip
STYLE_WORDS = 24
IN_STYLE = 0.5
"""Share of a document's words that are those of its style."""
SPREAD = 0.75
"""Length of what is added to a style's embedding, itself of length 1."""
SLICE = 50_000
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 59
SEARCHES = 20_000
"""Most searches of a log; its other events are plays outside searches."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as somebody types it, and the row it is for."""

    text: str
    row: int


@dataclass(frozen=True)
class Generated:
    """`n` documents under rows 0..n-1, all that is drawn of them following from `seed`."""

    n: int
    seed: int = 0

    def _rng(self, what: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.n, what))

    @cached_property
    def words(self) -> list[str]:
        """The vocabulary, commonest first: words of the encoder's, which come by frequency, and
        beyond them invented ones, as the names of artists are."""
        rng, size = self._rng(0), max(2000, min(self.n // 4, 200_000))
        tokens = json.loads((packaged_model() / "tokenizer.json").read_text("utf-8"))
        known = tokens["model"]["vocab"]
        found = [w for w in known if w.isascii() and w.isalpha() and len(w) > 2]
        onsets = (
            "b",
            "br",
            "ch",
            "d",
            "f",
            "g",
            "gr",
            "h",
            "k",
            "l",
            "m",
            "n",
            "p",
            "r",
            "s",
            "t",
            "v",
        )
        parts = [o + v + e for o in onsets for v in "aeiou" for e in ("", "n", "r")]
        seen = dict.fromkeys(found[:size])
        while len(seen) < size:
            seen[
                "".join(parts[i] for i in rng.integers(len(parts), size=int(rng.integers(2, 5))))
            ] = None
        return list(seen)

    @cached_property
    def styles(self) -> Ints:
        """Shape (styles, STYLE_WORDS): places in `words`."""
        rng = self._rng(1)
        count = int(np.clip(self.n // 250, 32, 4000))
        return rng.integers(100, len(self.words), (count, STYLE_WORDS))

    @cached_property
    def _artists(self) -> list[str]:
        rng = self._rng(2)
        pairs = rng.integers(200, len(self.words), (max(self.n // 20, 50), 2)).tolist()
        return [f"{self.words[a]} {self.words[b]}" for a, b in pairs]

    @cached_property
    def style_of(self) -> Ints:
        """Shape (n,): the style of each row."""
        return self._rng(3).integers(len(self.styles), size=self.n)

    @cached_property
    def popularity(self) -> NDArray[np.float64]:
        """Shape (n,): the chance of each row to be wanted, by Zipf's law in random order."""
        chances = 1.0 / (10.0 + self._rng(4).permutation(self.n))
        shares: NDArray[np.float64] = chances / chances.sum()
        return shares

    def _zipf(self, rng: np.random.Generator, size: int, among: int) -> Ints:
        """Places below `among`, place p with a chance of about 1 / (p + 1)."""
        return np.minimum(among ** rng.random(size) - 1.0, among - 1.0).astype(np.int64)

    def documents(self, first: int = 0, last: int | None = None) -> Iterator[Document]:
        """Rows first..last; a row is the same in whatever slice it is asked for."""
        end = self.n if last is None else last
        for start in range(first - first % SLICE, end, SLICE):
            for row, document in enumerate(self._slice(start, min(start + SLICE, self.n)), start):
                if first <= row < end:
                    yield document

    def _slice(self, start: int, end: int) -> Iterator[Document]:
        rng = self._rng(1000 + start // SLICE)
        count, words = end - start, self.words
        lengths = rng.integers(6, 19, count)
        common = self._zipf(rng, int(lengths.sum()), len(words))
        owners = np.repeat(self.style_of[start:end], lengths)
        own = self.styles[owners, self._zipf(rng, owners.size, STYLE_WORDS)]
        drawn = np.where(rng.random(owners.size) < IN_STYLE, own, common)
        names = [words[i] for i in drawn.tolist()]
        artists = self._zipf(rng, count, len(self._artists)).tolist()
        kinds = rng.choice(len(TYPES), count, p=TYPE_SHARES).tolist()
        rank = (self.popularity[start:end] / self.popularity.max()) ** 0.25
        cuts = np.cumsum(lengths).tolist()
        for i, (cut, length) in enumerate(zip(cuts, lengths.tolist(), strict=True)):
            text = names[cut - length : cut]
            title = 2 + (length - 6) // 4
            genre = GENRES[int(self.style_of[start + i]) % len(GENRES)]
            yield Document(
                f"d{start + i}",
                " ".join(text[:title]),
                " ".join(text[title : length - 2]),
                TYPES[kinds[i]],
                {
                    "artist": self._artists[artists[i]],
                    "genre": [genre],
                    "popularity": round(100 * float(rank[i]), 1),
                },
            )

    def embeddings(self, encoder: Encoder) -> Iterator[NDArray[np.float16]]:
        """Slices of (SLICE, dim), unit vectors on the grid: the style's, and noise."""
        texts = [" ".join(self.words[i] for i in style[:6]) for style in self.styles.tolist()]
        centres = np.asarray(encoder.encode(texts), np.float32)
        for start in range(0, self.n, SLICE):
            rng = self._rng(2000 + start // SLICE)
            styles = self.style_of[start : start + SLICE]
            noise = rng.standard_normal((styles.size, centres.shape[1]), np.float32)
            noise *= np.float32(SPREAD / centres.shape[1] ** 0.5)
            yield on_grid(noise + centres[styles])

    def embed_into(self, folder: Path, encoder: Encoder) -> Path:
        """Put the embeddings into a cache that `SearchEngine.build` reads, and into an array
        (n, dim) beside it, whose path is returned; nothing is done where that is there."""
        path, partial = folder / "embeddings.npy", folder / "embeddings.partial.npy"
        if path.exists():
            return path
        cache, seen, start = EmbeddingCache(folder), set[str](), 0
        kept: np.memmap[Any, np.dtype[np.float16]] | None = None
        for vectors in self.embeddings(encoder):
            if kept is None:
                shape = (self.n, vectors.shape[1])
                kept = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
            texts = [document_text(d) for d in self.documents(start, start + len(vectors))]
            distinct = {text: i for i, text in reversed(list(enumerate(texts)))}
            fresh = sorted(i for text, i in distinct.items() if text not in seen)
            seen.update(distinct)
            cache.put(identity_of(encoder), [texts[i] for i in fresh], vectors[fresh])
            kept[start : start + len(vectors)] = vectors
            start += len(vectors)
        if kept is not None:
            kept.flush()
            partial.rename(path)
        return path

    def asked(self, count: int, stream: int) -> list[Asked]:
        """Queries for documents drawn by popularity: words of the title, the artist, both, a genre
        with a word, a title with a typing error. Streams are independent of each other."""
        rng = self._rng(100 + stream)
        rows = rng.choice(self.n, count, p=self.popularity)
        by_row = self._picked(np.unique(rows))
        asked = []
        for row, form in zip(rows.tolist(), rng.random(count).tolist(), strict=True):
            document = by_row[row]
            title = document.title.split()
            some = " ".join(title[: int(rng.integers(2, 4))])
            artist = document.values("artist")[0]
            if form < 0.4:
                text = some
            elif form < 0.6:
                text = artist
            elif form < 0.75:
                text = f"{artist.split()[0]} {title[0]}"
            elif form < 0.85:
                text = f"{document.values('genre')[0]} {title[-1]}"
            else:
                place = int(rng.integers(1, len(some) - 1))
                text = some[:place] + some[place + 1 :]
            asked.append(Asked(text, row))
        return asked

    def _picked(self, rows: Ints) -> dict[int, Document]:
        """The documents of some rows."""
        found: dict[int, Document] = {}
        for start in sorted({row - row % SLICE for row in rows.tolist()}):
            wanted = set(rows[(rows >= start) & (rows < start + SLICE)].tolist())
            documents = enumerate(self._slice(start, min(start + SLICE, self.n)), start)
            found |= {row: document for row, document in documents if row in wanted}
        return found

    def log(self, events: int, stream: int = 0) -> tuple[list[LoggedSearch], Iterator[Event]]:
        """Searches with one click each, a fiftieth of the events and at most `SEARCHES`; the others
        are plays outside searches. Users are as many as a twentieth of the documents."""
        rng = self._rng(200 + stream)
        users = max(self.n // 20, 20)
        count = min(events // 50, SEARCHES)
        asked = self.asked(count, 50 + stream)
        from_ = START + timedelta(days=DAYS * stream)
        times = np.sort(rng.random(count)) * DAYS
        who = self._zipf(rng, count, users).tolist()
        searches = [
            LoggedSearch(f"s{stream}-{i}", one.text, from_ + timedelta(days=day), f"u{user}")
            for i, (one, day, user) in enumerate(zip(asked, times.tolist(), who, strict=True))
        ]
        clicks = [
            Event("click", f"d{one.row}", search.time + timedelta(seconds=9), search=search.id)
            for one, search in zip(asked, searches, strict=True)
        ]
        return searches, self._events(rng, events - count, users, from_, clicks)

    def _events(
        self, rng: np.random.Generator, plays: int, users: int, from_: datetime, clicks: list[Event]
    ) -> Iterator[Event]:
        yield from (replace(click, position=1) for click in clicks)
        rows = rng.choice(self.n, plays, p=self.popularity).tolist()
        who = self._zipf(rng, plays, users).tolist()
        days = (np.sort(rng.random(plays)) * DAYS).tolist()
        for row, user, day in zip(rows, who, days, strict=True):
            yield Event("play", f"d{row}", from_ + timedelta(days=day), user=f"u{user}")
