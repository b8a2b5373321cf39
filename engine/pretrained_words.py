"""The embedded encoder as a reader of words, for the parts of a conversation that are trained on few dialogues."""

from __future__ import annotations

import importlib.util

from conversation.contextual_words import PieceReader
from retrievers.minilm import PACKAGE
from retrievers.piece_vectors import PieceVectors


def pretrained_words() -> PieceReader | None:
    """The layers of all-MiniLM-L6-v2; None where its package isn't installed."""
    return PieceVectors() if importlib.util.find_spec(PACKAGE) is not None else None
