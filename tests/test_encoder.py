"""Encoders, the grid that makes dot products exact, and the cache of embeddings."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retrievers import minilm
from retrievers.embedding_cache import EmbeddingCache
from retrievers.encoder import (
    CHUNK,
    STEP,
    Encoder,
    QueryVectors,
    default_encoder,
    embed,
    identity_of,
    on_grid,
    resolve,
)
from retrievers.minilm import MiniLM
from retrievers.products import accumulate, stacked
from retrievers.sentence_encoder import SentenceEncoder

Floats = NDArray[np.float32]

TEXTS = [
    "sad songs about rain",
    "love",
    "",
    "Beyoncé — Déjà Vu (feat. JAY-Z) 日本語 \u200b",
    "word " * 400,
    "the quick brown fox jumps over the lazy dog " * 5,
    "\x00\t\ud800 unpaired",
]


class Counting:
    """Vectors made of a hash of the text; remembers what it was asked."""

    identity = "counting"

    def __init__(self, dim: int = 16) -> None:
        self.dim = dim
        self.asked: list[str] = []

    def encode(self, texts: list[str], /) -> Floats:
        self.asked += texts
        rows = [
            np.frombuffer(
                hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(self.dim), np.int8
            )
            for text in texts
        ]
        return np.array(rows, np.float32)


class Broken:
    def __init__(self, answer: Floats) -> None:
        self.answer = answer

    def encode(self, texts: list[str], /) -> Floats:
        return self.answer


def model_folder() -> Path:
    pytest.importorskip(minilm.PACKAGE, reason="needs the extra `minilm`")
    return minilm.packaged_model()


# --- the grid


@given(st.integers(1, 500), st.integers(0, 2**32 - 1))
def test_dot_products_on_the_grid_have_the_same_bits_in_any_order(dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = on_grid(rng.standard_normal((7, dim)) ** 3).astype(np.float32)
    exact = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    for order in (np.arange(dim), rng.permutation(dim)):
        shuffled = np.ascontiguousarray(vectors[:, order])
        assert (shuffled @ shuffled.T == exact).all()
        running = np.zeros((7, 7), np.float32)
        for column in shuffled.T:
            running += np.outer(column, column)
        assert (running == exact).all()


@given(st.integers(1, 500), st.integers(0, 2**32 - 1))
def test_the_grid_keeps_direction_and_norm(dim: int, seed: int) -> None:
    raw = np.random.default_rng(seed).standard_normal((3, dim))
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    stored = on_grid(raw).astype(np.float64)
    assert np.abs(stored - unit).max() <= STEP / 2 + 1e-12
    assert ((stored / STEP) % 1 == 0).all()
    assert (np.abs(np.linalg.norm(stored, axis=1) - 1) < 0.01).all()


def test_the_grid_takes_zeros_and_axes_as_they_are() -> None:
    axes = np.array([[0, 0, 0], [0, -3, 0], [1e-30, 0, 0]], np.float64)
    assert on_grid(axes).tolist() == [[0, 0, 0], [0, -1, 0], [1, 0, 0]]


# --- encoders


def test_resolving_what_users_name() -> None:
    own = Counting()
    assert resolve(own) is own
    assert resolve(None) is default_encoder() is default_encoder()
    assert identity_of(resolve("some/model")) == "sentence-transformers:some/model"
    with pytest.raises(TypeError, match=r"encode.*found int"):
        resolve(cast(Encoder, 3))
    with pytest.raises(FileNotFoundError, match="no folder"):
        resolve(Path("nowhere"))


def test_identity_without_a_name_is_that_of_the_class() -> None:
    assert identity_of(Broken(np.zeros((1, 1), np.float32))).endswith("test_encoder.Broken")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((1, 4), np.float32), r"shape \(1, 4\) for 2 texts"),
        (np.zeros(2, np.float32), r"shape \(2,\) for 2 texts"),
        (np.zeros((2, 0), np.float32), r"expected \(2, dim\)"),
        (np.array([[1, 0], [np.nan, 0]], np.float32), "not finite, for the text 'b'"),
    ],
)
def test_what_an_encoder_may_not_answer(answer: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        embed(Broken(answer), ["a", "b"])


def test_embed_encodes_each_distinct_text_once_in_order() -> None:
    encoder = Counting()
    vectors = embed(encoder, ["b", "a", "b", "c", "a"])
    assert encoder.asked == ["b", "a", "c"]
    assert (vectors == on_grid(Counting().encode(["b", "a", "b", "c", "a"]))).all()


def test_progress_is_shown_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    embed(Counting(), ["a"])
    assert capsys.readouterr() == ("", "")
    embed(Counting(), ["a"], progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "encoding" in err


def test_query_vectors_are_cached_up_to_a_bound() -> None:
    encoder = Counting()
    vector = QueryVectors(encoder, 2)
    first = vector("a")
    assert vector("a") is first
    assert not first.flags.writeable
    vector("b"), vector("c"), vector("a")
    assert encoder.asked == ["a", "b", "c", "a"]
    assert (first == on_grid(Counting().encode(["a"]))[0]).all()


# --- the products of the default model


@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_products_equal_numpy_and_a_row_owes_nothing_to_the_others(
    n: int, depth: int, width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, w = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((2, n, depth), (2, depth, width))
    )
    found = stacked(x, w)
    np.testing.assert_allclose(found, x.astype(np.float64) @ w.astype(np.float64), atol=1e-4)
    alone = np.zeros((1, width), np.float32)
    accumulate(x[1, n - 1 :], w[1], alone)
    assert alone.tobytes() == found[1, n - 1].tobytes()


# --- the default model


@pytest.fixture(scope="module")
def offline() -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="module")
def default() -> MiniLM:
    model_folder()
    return default_encoder()


def test_minilm_equals_sentence_transformers(default: MiniLM, offline: None) -> None:
    texts = [text for text in TEXTS if "\ud800" not in text]
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine several would wait for each other
    try:
        expected = SentenceEncoder(model_folder(), device="cpu").encode(texts)
    finally:
        torch.set_num_threads(threads)
    found = default.encode(texts)
    assert found.shape == (len(texts), minilm.WIDTH)
    assert (np.einsum("ij,ij->i", found, expected) >= 0.99999).all()
    stored = on_grid(found).astype(np.float32)
    cosines = np.einsum("ij,ij->i", stored, expected) / np.linalg.norm(stored, axis=1)
    assert (cosines >= 0.9999).all()


def test_minilm_vectors_owe_nothing_to_their_batch_or_thread(default: MiniLM) -> None:
    together = default.encode(TEXTS)
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-6
    many = TEXTS * minilm.TEXTS_A_PASS
    expected = np.tile(together, (minilm.TEXTS_A_PASS, 1)).tobytes()
    assert default.encode(many).tobytes() == expected
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda text: default.encode([text])[0], many))
    assert np.array(alone).tobytes() == expected


def test_minilm_knows_what_words_mean(default: MiniLM) -> None:
    texts = ["a song to fall asleep to", "lullaby", "heavy metal drumming"]
    night, lullaby, metal = embed(default, texts).astype(np.float32)
    assert night @ lullaby > night @ metal + 0.2


def test_nothing_is_read_before_the_first_encode(tmp_path: Path) -> None:
    encoder = MiniLM(tmp_path)
    assert encoder.identity.startswith("all-MiniLM-L6-v2@53aa5117")
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors.*reinstall"):
        encoder.encode(["a"])


def test_tampered_weights_are_refused_before_they_are_loaded(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model_folder(), copy)
    weights = copy / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    with pytest.raises(ValueError, match="sha256") as caught:
        MiniLM(copy).encode(["a"])
    message = str(caught.value)
    assert str(weights) in message
    assert minilm.SHA256 in message
    assert "not loaded" in message


def test_a_truncated_or_foreign_file_is_refused_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match="found sha256 e3b0c442"):
        MiniLM(tmp_path).encode(["a"])


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, minilm.PACKAGE, None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install ltrr\[minilm\]"):
        MiniLM().encode(["a"])


def test_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "config.json").write_text("{}")
    one, two = (SentenceEncoder(tmp_path / name).identity for name in ("one", "two"))
    assert one == two
    (tmp_path / "two" / "sub" / "config.json").write_text("{ }")
    assert SentenceEncoder(tmp_path / "two").identity != one


# --- the cache


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
