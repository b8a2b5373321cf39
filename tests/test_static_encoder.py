"""The static encoder: distilled, kept, found again by its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from retrievers.encoder import identity_of, resolve
from retrievers.minilm import MiniLM
from retrievers.static_encoder import StaticEncoder

WORDS = ("the", "a", "song", "tune", "rain", "metal")


class Teacher(MiniLM):
    """Six words, "song" and "tune" alike."""

    def static(self) -> tuple[NDArray[np.float32], str]:
        vectors = np.random.default_rng(0).normal(size=(len(WORDS), 12)).astype(np.float32)
        vectors[3] = vectors[2] + 0.1 * vectors[4]
        vocabulary = {word: place for place, word in enumerate(WORDS)}
        tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="the"))  # noqa: S106 - not a password
        tokenizer.pre_tokenizer = Whitespace()
        return vectors, tokenizer.to_str()


def test_words_alike_and_rare_words_decide() -> None:
    encoder = StaticEncoder.distil(Teacher(), dimensions=5)
    song, tune, metal, the_song = encoder.encode(["song", "tune", "metal", "the song"])
    assert song.shape == (5,)
    assert song @ tune > 0.9 > song @ metal
    assert the_song @ song > encoder.encode(["the"])[0] @ the_song


def test_vectors_are_units_and_owe_nothing_to_their_batch() -> None:
    encoder = StaticEncoder.distil(Teacher(), dimensions=4)
    texts = ["song rain", "metal", "", "a \ud800 tune"]
    together = encoder.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), [1, 1, 0, 1], atol=1e-6)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert alone.tobytes() == together.tobytes()
    assert encoder.encode([]).shape == (0, 4)


def test_a_folder_gives_it_back(tmp_path: Path) -> None:
    encoder = StaticEncoder.distil(Teacher(), dimensions=4)
    encoder.save(tmp_path / "static")
    found = resolve(str(tmp_path / "static"))
    assert isinstance(found, StaticEncoder)
    assert identity_of(found) == identity_of(encoder)
    assert found.encode(["song rain"]).tobytes() == encoder.encode(["song rain"]).tobytes()


def test_more_dimensions_than_the_encoder_has_are_refused() -> None:
    with pytest.raises(ValueError, match="dimensions: found 13, expected 1 to 12"):
        StaticEncoder.distil(Teacher(), dimensions=13)
