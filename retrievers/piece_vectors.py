"""What all-MiniLM-L6-v2 makes of each piece of a text on its way: its hidden states, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from retrievers.minilm import MiniLM, clean
from retrievers.quantised_layers import Norms, Quantised, QuantisedLayers

Array = NDArray[np.float32]


@cache
def _encoder() -> MiniLM:
    """One for the whole process: its weights are read at the first text."""
    return MiniLM()


@cache
def _part(first: int, last: int) -> QuantisedLayers:
    """The layers [first, last) alone."""
    layers = cast(QuantisedLayers, _encoder().loaded().layers)

    def cut(of: Quantised) -> Quantised:
        return Quantised(of.w[first:last], of.scale[first:last], of.bias[first:last])

    def norms(of: Norms) -> Norms:
        return Norms(of.weight[first:last], of.bias[first:last])

    return QuantisedLayers(
        layers.heads, cut(layers.qkv), cut(layers.attended), norms(layers.attended_norm),
        cut(layers.inner), cut(layers.outer), norms(layers.outer_norm),
    )  # fmt: skip


class PieceVectors:
    """Reads texts with the layers of MiniLM on 8-bit weights. Immutable and thread-safe; what is pickled
    is its name, not the weights."""

    @property
    def identity(self) -> str:
        """Of the weights."""
        return _encoder().identity

    def __call__(self, text: str, layers: Sequence[int]) -> tuple[list[int], Array]:
        """Where each piece of the text begins, and (layers, pieces + 1, 384): the state of each behind each
        of `layers` (ascending, 1 to 6), the mark of the end last. Pieces behind the 255th are left out."""
        model = _encoder().loaded()
        read = model.tokenizer.encode(clean(text))
        x = model.norm(model.words[read.ids] + model.positions[: len(read.ids)])
        starts = np.array([0, len(read.ids)])
        states = []
        for first, last in pairwise((0, *layers)):
            _part(first, last)(x, starts)
            states.append(x[1:].copy())
        return [start for start, _ in read.offsets[1:-1]], np.stack(states)
