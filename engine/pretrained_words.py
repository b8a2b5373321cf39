"""Word vectors of the embedded encoder, for the parts of a conversation that are trained on few dialogues."""

from __future__ import annotations

import importlib.util

import numpy as np

from conversation.word_vectors import DIMENSIONS, WordVectors
from retrievers.minilm import PACKAGE, packaged_model, verified


def pretrained_words(dimensions: int = DIMENSIONS) -> WordVectors | None:
    """The word pieces of all-MiniLM-L6-v2 before its first layer; None where its package isn't installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    folder = packaged_model()
    vectors = load(verified(folder / "model.safetensors"))["embeddings.word_embeddings.weight"]
    vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    return WordVectors.distil(pieces, vectors.astype(np.float32), dimensions)
