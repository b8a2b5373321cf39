"""The dense generator on disk, and with the default encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrievers import minilm
from retrievers.base import Document, Query
from retrievers.dense import Dense
from tests.dense_world import WORDS, Planted, Words, built, documents, same


@pytest.mark.usefixtures("small_delta")
@pytest.mark.parametrize("exact_rows", [60, 50_000])
def test_a_loaded_index_answers_to_the_byte(tmp_path: Path, exact_rows: int) -> None:
    dense = built(150, parts=15, exact_rows=exact_rows)
    dense.remove(np.array([3, 149], np.int32))
    dense.save(tmp_path)
    loaded = Dense.load(tmp_path, Words())
    assert loaded.recall == dense.recall
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["index"]["recall_at_100"] == dense.recall
    more = np.arange(150, 230, dtype=np.int32)
    for _ in range(2):
        for word in WORDS:
            assert same(loaded.retrieve(Query(word), 60), dense.retrieve(Query(word), 60))
        for either in (dense, loaded):
            either.add(more, documents(80, seed=9))
        more += 80


def test_an_empty_index_is_saved_too(tmp_path: Path) -> None:
    Dense(Words()).save(tmp_path)
    loaded = Dense.load(tmp_path, Words())
    assert len(loaded.retrieve(Query("rain"), 5)) == 0
    loaded.add(np.array([0], np.int32), documents(1))
    assert len(loaded.retrieve(Query("rain"), 5)) == 1


def other_text(document: Document) -> str:
    return document.title


def test_what_load_refuses(tmp_path: Path) -> None:
    dense = built(30)
    dense.save(tmp_path)
    with pytest.raises(ValueError, match=r"encoder 'words', expected 'all-MiniLM-L6-v2@"):
        Dense.load(tmp_path)
    with pytest.raises(ValueError, match=r"text 'retrievers\.dense\.document_text', expected"):
        Dense.load(tmp_path, Words(), text=other_text)
    np.save(tmp_path / "rows.npy", np.arange(29, dtype=np.int32))
    with pytest.raises(ValueError, match="different saves"):
        Dense.load(tmp_path, Words())
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 0'))
    with pytest.raises(ValueError, match="another version"):
        Dense.load(tmp_path, Words())


def test_an_encoder_of_another_width_is_named() -> None:
    dense = Dense(Planted(np.eye(4, dtype=np.float16)))
    dense.add(np.array([0], np.int32), [Document("a", "1")])
    encoder = dense.encoder
    assert isinstance(encoder, Planted)
    encoder.stored = np.eye(5, dtype=np.float16)
    with pytest.raises(ValueError, match="5 dimensions, expected 4"):
        dense.retrieve(Query("0"), 1)
    with pytest.raises(ValueError, match="5 dimensions, expected 4"):
        dense.add(np.array([1], np.int32), [Document("b", "2")])


# --- with the default encoder


def test_the_default_encoder_is_loaded_when_needed_and_named_in_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(minilm.PACKAGE, reason="needs the extra `minilm`")
    dense = Dense()
    titles = ["Thunderstruck", "Rainy Days and Mondays", "Walking on Sunshine", "Cello Suite No. 1"]
    dense.add(np.arange(4, dtype=np.int32), [Document(str(i), t) for i, t in enumerate(titles)])
    assert dense.retrieve(Query("songs about wet weather"), 1).docs.tolist() == [1]
    assert dense.retrieve(Query("classical strings"), 1).docs.tolist() == [3]
    dense.save(tmp_path)

    def unwanted() -> Path:
        raise AssertionError("load must not read the model")

    with monkeypatch.context() as patch:
        patch.setattr(minilm, "packaged_model", unwanted)
        loaded = Dense.load(tmp_path)
    query = Query("a happy tune")
    assert same(loaded.retrieve(query, 4), dense.retrieve(query, 4))
