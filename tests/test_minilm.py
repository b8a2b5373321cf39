"""The default model: its products, its vectors, and how its weights are checked."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers import minilm
from retrievers.encoder import (
    default_encoder,
    embed,
    on_grid,
)
from retrievers.minilm import MiniLM
from retrievers.products import accumulate, stacked
from retrievers.sentence_encoder import SentenceEncoder
from tests.counting import TEXTS


def model_folder() -> Path:
    pytest.importorskip(minilm.PACKAGE, reason="needs the extra `minilm`")
    return minilm.packaged_model()


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
    found = MiniLM(precision="float32").encode(texts)
    assert found.shape == (len(texts), minilm.WIDTH)
    assert (np.einsum("ij,ij->i", found, expected) >= 0.99999).all()
    # A blank text is never asked for, and its two tokens average no error out.
    near = np.einsum("ij,ij->i", default.encode(texts), expected)
    assert (near[[bool(text.strip()) for text in texts]] >= 0.99).all()
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


def test_precisions_have_vectors_of_their_own() -> None:
    assert MiniLM().identity != MiniLM(precision="float32").identity
    with pytest.raises(ValueError, match=r"precision: found 'int4', expected"):
        MiniLM(precision="int4")  # type: ignore[arg-type]


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
