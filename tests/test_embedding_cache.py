"""The cache of embeddings, in memory and on disk."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.embedding_cache import EmbeddingCache
from retrievers.encoder import (
    CHUNK,
    Encoder,
    embed,
    on_grid,
)
from tests.counting import TEXTS, Counting


@pytest.fixture(params=["memory", "disk"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "cache" if request.param == "disk" else None


def test_known_texts_are_not_encoded_again(folder: Path | None) -> None:
    encoder, cache = Counting(), EmbeddingCache(folder)
    texts = [f"text {i}" for i in range(CHUNK + 10)]
    first = embed(encoder, texts, cache)
    assert len(encoder.asked) == len(texts)
    grown = embed(encoder, ["new", *reversed(texts), "new"], cache)
    assert encoder.asked[len(texts) :] == ["new"]
    assert grown[1:-1].tobytes() == first[::-1].tobytes()


def test_a_cache_on_disk_outlives_its_process(tmp_path: Path) -> None:
    texts = [*TEXTS, "one more"]
    first = embed(Counting(), texts, EmbeddingCache(tmp_path))
    again = Counting()
    assert embed(again, texts, EmbeddingCache(tmp_path)).tobytes() == first.tobytes()
    assert again.asked == []


def test_encoders_do_not_share_vectors_unless_they_share_an_identity(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    embed(Counting(), ["a"], cache)
    other = Counting()
    other.identity = "another"
    embed(other, ["a"], cache)
    assert other.asked == ["a"]
    with pytest.raises(ValueError, match="share"):
        embed(Counting(dim=8), ["a", "b"], cache)


def test_an_empty_cache_knows_nothing(folder: Path | None) -> None:
    found, vectors = EmbeddingCache(folder).get("anyone", ["a", "b"])
    assert found.tolist() == [False, False]
    assert len(vectors) == 0


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    embed(Counting(), ["a", "b"], EmbeddingCache(tmp_path))
    [file] = tmp_path.rglob("*.npy")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match=f"{file.stem}.*delete it"):
        EmbeddingCache(tmp_path).get("counting", ["a"])


def test_an_interrupted_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    cache = EmbeddingCache(tmp_path)
    with pytest.raises(OSError, match="No space"):
        embed(Counting(), ["a"], cache)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not cache.get("counting", ["a"])[0].any()


def test_several_writers_may_share_a_folder(tmp_path: Path) -> None:
    caches = [EmbeddingCache(tmp_path) for _ in range(4)]
    start = threading.Barrier(4)

    def fill(i: int) -> None:
        start.wait()
        for j in range(5):
            embed(Counting(), [f"own {i} {j}", f"common {j}"], caches[i])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(4)))
    texts = [f"own {i} {j}" for i in range(4) for j in range(5)] + [f"common {j}" for j in range(5)]
    found, vectors = EmbeddingCache(tmp_path).get("counting", texts)
    assert found.all()
    assert vectors.tobytes() == on_grid(Counting().encode(texts)).tobytes()


@given(st.lists(st.text(max_size=8), unique=True, max_size=12), st.data())
def test_get_answers_in_the_order_asked(texts: list[str], data: st.DataObject) -> None:
    cache, encoder = EmbeddingCache(), Counting()
    split = data.draw(st.integers(0, len(texts)))
    kept = texts[:split]
    for part in (kept[::2], kept[1::2]):
        cache.put(
            "counting",
            part,
            on_grid(encoder.encode(part)) if part else np.empty((0, 16), np.float16),
        )
    asked = data.draw(st.permutations(texts))
    found, vectors = cache.get("counting", asked)
    assert found.tolist() == [text in kept for text in asked]
    expected = [text for text in asked if text in kept]
    if expected:
        assert vectors.tobytes() == on_grid(encoder.encode(expected)).tobytes()


def test_vectors_must_match_their_texts() -> None:
    with pytest.raises(ValueError, match=r"found shape \(1, 3\), expected \(2, dim\)"):
        EmbeddingCache().put("x", ["a", "b"], np.zeros((1, 3), np.float16))


def test_the_protocol_is_a_single_method() -> None:
    assert isinstance(Counting(), Encoder)
    assert not isinstance(object(), Encoder)
