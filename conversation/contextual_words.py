"""Words as a pretrained encoder reads them in their turn.

Few dialogues teach a network little about words. An encoder that has read many texts tells it which are alike and
what they do in their sentence (Peters et al. 2018, "Deep Contextualized Word Representations"). Each turn is read
by itself, so that while a conversation goes on only its last line is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from conversation.rewrite_features import Encoded
from conversation.rewrite_tokens import tokens

Halves = NDArray[np.float16]
REMEMBERED = 512
"""Turns kept, about 30 kB each."""


class PieceReader(Protocol):
    """A pretrained encoder of texts cut into pieces; it can be pickled."""

    @property
    def identity(self) -> str:
        """The same for encoders that give the same vectors."""

    def __call__(
        self, text: str, layers: Sequence[int]
    ) -> tuple[Sequence[int], NDArray[np.float32]]:
        """Where each piece begins, and (layers, pieces + 1, width), the mark of the end last."""


class ContextualWords:
    """Reads the words of conversations at several depths: `layers` of the encoder, in any order. Thread-safe."""

    def __init__(
        self, reader: PieceReader, layers: Sequence[int], remembered: int = REMEMBERED
    ) -> None:
        self.reader, self.layers = reader, tuple(layers)
        self._turn = lru_cache(maxsize=remembered)(self._read)

    def turns(self, read: Encoded) -> list[Halves]:
        """For each turn with words (layers, its tokens, width); the query's holds one more, its end."""
        said: dict[int, tuple[int, int]] = {}
        for turn, start, end in read.source[:-1]:
            said[turn] = (said.get(turn, (start, end))[0], end)
        query = len(read.texts) - 1
        said.setdefault(query, (0, 0))
        return [
            states if turn == query else states[:, :-1]
            for turn, (start, end) in said.items()
            for states in [self._turn(read.texts[turn][start:end])]
        ]

    def of(self, read: Encoded) -> NDArray[np.float32]:
        """(layers, L, width) of all tokens."""
        return np.concatenate(self.turns(read), axis=1).astype(np.float32)

    def _read(self, text: str) -> Halves:
        """(layers, tokens + 1, width): each token is the mean of its pieces, then the end."""
        depths = sorted(set(self.layers))
        begins, states = self.reader(text, depths)
        own = [token.start for token in tokens(text)]
        share = np.zeros((len(own) + 1, states.shape[1]), np.float32)
        share[-1, -1] = 1
        if own and begins:
            at = np.maximum(np.searchsorted(own, begins, side="right") - 1, 0)
            share[at, np.arange(len(begins))] = 1 / np.bincount(at, minlength=len(own))[at]
        words: Halves = (share @ states).astype(np.float16)
        words = words[[depths.index(layer) for layer in self.layers]]
        words.flags.writeable = False
        return words
