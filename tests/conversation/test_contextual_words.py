from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from conversation.contextual_words import ContextualWords
from conversation.rewrite_features import CONTEXT_TOKENS, Words, encode
from conversation.rewriter import Rewriter
from conversation.rewriter_training import train_rewriter
from conversation.scenes import examples
from retrievers.base import Turn
from tests.conversation.rewriting_world import RECIPE

WORDS = Words({}, (), frozenset())
TURNS = (Turn("user", "Play Blue River !"), Turn("system", "Playing."))


@dataclass
class Letters:
    """Reads a text letter by letter: a letter's state is its code times the layer, the end's is -1."""

    identity: str = "letters"
    asked: list[str] = field(default_factory=list)

    def __call__(
        self, text: str, layers: Sequence[int]
    ) -> tuple[Sequence[int], NDArray[np.float32]]:
        self.asked.append(text)
        places = [at for at, letter in enumerate(text) if letter != " "]
        codes = np.array([*(float(ord(text[at])) for at in places), -1.0], np.float32)
        return places, np.stack([np.stack([codes * layer, codes], 1) for layer in layers])


def test_each_token_is_the_mean_of_its_pieces_and_the_end_its_mark() -> None:
    found = ContextualWords(Letters(), (3, 1)).of(encode(TURNS, "Who is it", WORDS))
    read = encode(TURNS, "Who is it", WORDS)
    assert found.shape == (2, len(read.keys), 2)
    blue = read.keys.index("blue")
    mean = np.mean([ord(letter) for letter in "Blue"])
    assert np.allclose(found[:, blue], [[3 * mean, mean], [mean, mean]])
    assert np.allclose(found[:, -1], [[-3, -1], [-1, -1]])


def test_a_turn_is_read_once_while_a_conversation_goes_on() -> None:
    reader = Letters()
    words = ContextualWords(reader, (1,))
    words.of(encode(TURNS, "Who is it", WORDS))
    words.of(encode((*TURNS, Turn("user", "Who is it")), "And now", WORDS))
    assert reader.asked == ["Play Blue River !", "Playing.", "Who is it", "And now"]


def test_of_long_conversations_what_is_read_is_what_the_network_reads() -> None:
    long = (
        Turn("user", "word " * (2 * CONTEXT_TOKENS)),
        Turn("system", "yes"),
        Turn("user", "..."),
    )
    for query in ("so", "?", "so " * 80):
        read = encode(long, query, WORDS)
        assert ContextualWords(Letters(), (1,)).of(read).shape[1] == len(read.keys)


def test_a_rewriter_reads_with_the_encoder_that_it_was_trained_with(tmp_path: Path) -> None:
    made = examples(40, np.random.default_rng(7))
    rewriter = train_rewriter(made, reader=Letters(), recipe=RECIPE, depths=(2, 1))
    rewriter.save(tmp_path)
    again = Rewriter.load(tmp_path, Letters())
    asked = (TURNS, "Who sings it ?")
    assert again.propose(*asked).worth == pytest.approx(rewriter.propose(*asked).worth, abs=0.1)
    for other in (None, Letters("other")):
        with pytest.raises(ValueError, match=r"expected letters.*pip install ltrr\[minilm\]"):
            Rewriter.load(tmp_path, other)
