"""A small catalogue and a small encoder, so that engine tests need no model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from engine import Document, EngineConfig, SearchEngine
from retrievers import vectors

# No clock (the first call of a compiled function takes seconds), and the same examples every time.
settings.register_profile("ltrr", deadline=None, derandomize=True)
settings.load_profile("ltrr")

START = 1_700_000_000.0


class WordHashes:
    """Encodes a text as the sum of a fixed random vector for each of its words."""

    name = "word-hashes"
    dim = 32

    def encode(self, texts: list[str], /) -> NDArray[np.float32]:
        out = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split() or [""]:
                seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
                out[row] += np.random.default_rng(seed).standard_normal(self.dim)
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        return out


class Clock:
    """A clock that the test sets."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def songs() -> list[Document]:
    """Thirty artists with four tracks each; several tracks share a title."""
    titles = ("Love", "Silver River", "Night Train {}", "Song of {}")
    genres = ("rock", "jazz", "folk")
    documents: list[Document] = []
    for a in range(30):
        name = f"Artist{chr(65 + a % 26)}{a}"
        genre = genres[a % 3]
        documents.append(
            Document(f"a{a}", name, "", "artist", {"genre": [genre], "popularity": 90 - a})
        )
        for t, title in enumerate(titles):
            metadata = {
                "artist": name,
                "genre": [genre],
                "year": 1970 + a,
                "popularity": (7 * a + 13 * t) % 100,
            }
            documents.append(Document(f"t{a}-{t}", title.format(name), "", "track", metadata))
    return documents


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def config(clock: Clock) -> EngineConfig:
    return EngineConfig(budget=30.0, clock=clock, ranker_options={"n_estimators": 30})


@pytest.fixture
def engine(config: EngineConfig) -> Iterator[SearchEngine]:
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as built:
        yield built


@pytest.fixture
def stored(config: EngineConfig, tmp_path: Path) -> Iterator[SearchEngine]:
    """An engine with a folder of its own, `tmp_path / "index"`."""
    built = SearchEngine.build(
        songs(), folder=tmp_path / "index", config=config, encoder=WordHashes()
    )
    with built:
        yield built


@pytest.fixture
def small_delta(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows outside the FAISS index that both parts take part in small tests."""
    monkeypatch.setattr(vectors, "DELTA_ROWS", 40)
