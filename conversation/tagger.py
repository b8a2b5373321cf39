"""Which words of an utterance are which field: a bidirectional LSTM, run with numpy.

Words and their pieces are embedded by hashes, so that it has something for a name it has never seen;
what the catalogue may mean by a word, and what was said before, stand beside them (see
`conversation.tag_features`). It is trained by `conversation.tag_training`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from conversation.tag_features import BUCKETS, PER_FIELD, SHAPES, Dense, Past, Seen, seen
from retrievers.base import Heard, Labelled

FORMAT = "ltrr tagger 1"
FILE = "tagger.safetensors"


class Tagger:
    """Labels tokens with fields; never changes.

    `weights`, float32, with d = 2 x embedding + columns and h hidden units a direction:
    words and pieces (BUCKETS, embedding); forward_in, backward_in (d, 4h), forward_on, backward_on
    (h, 4h), forward_bias, backward_bias (4h,), their gates in torch's order; out (2h, labels),
    out_bias (labels,). Label 0 is none, 1 + 2f begins field f, 2 + 2f goes on with it.
    """

    def __init__(self, fields: tuple[str, ...], weights: Mapping[str, Dense]) -> None:
        self.fields = fields
        self._numbers = {field: number for number, field in enumerate(fields)}
        self._weights = {name: np.ascontiguousarray(w, np.float32) for name, w in weights.items()}
        width = 2 * self._weights["words"].shape[1] + SHAPES + PER_FIELD * len(fields)
        for name, shape in (
            ("words", (BUCKETS, None)), ("forward_in", (width, None)), ("backward_in", (width, None)),
            ("out_bias", (2 * len(fields) + 1,)),
        ):  # fmt: skip
            found = self._weights[name].shape
            if any(
                want is not None and want != size for want, size in zip(shape, found, strict=True)
            ):
                raise ValueError(
                    f"tagger: {name} has shape {found}, expected {shape}; are the weights those of "
                    f"the {len(fields)} fields?"
                )

    def suits(self, types: Collection[str]) -> bool:
        """Whether it can speak of a catalogue with these types of documents."""
        return len(types) > 1 and self._numbers.keys() >= set(types)

    def label(self, heard: Heard, past: Past) -> Labelled:
        """The probabilities of every token's labels."""
        scores = self._scores(seen(heard, past, self._numbers))
        return Labelled(self.fields, scores[:, 1::2], scores[:, 2::2], scores[:, 0])

    def _scores(self, given: Seen) -> Dense:
        """Shape (n, labels): log probabilities."""
        w = self._weights
        n = given.words.size
        if n == 0:
            return np.empty((0, w["out_bias"].size), np.float32)
        there = given.pieces >= 0
        pieces = w["pieces"][np.maximum(given.pieces, 0)] * there[:, :, None]
        pieces = pieces.sum(axis=1) / np.maximum(there.sum(axis=1), 1)[:, None].astype(np.float32)
        x = np.concatenate([w["words"][given.words], pieces, given.columns], axis=1)
        hidden = np.concatenate(
            [
                _lstm(x @ w[f"{way}_in"] + w[f"{way}_bias"], w[f"{way}_on"], way == "backward")
                for way in ("forward", "backward")
            ],
            axis=1,
        )
        scores = hidden @ w["out"] + w["out_bias"]
        scores -= scores.max(axis=1, keepdims=True)
        found: Dense = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return found

    def save(self, folder: Path) -> None:
        """Write one file of weights of 16 bits into an existing folder."""
        from safetensors.numpy import save

        halves = {name: w.astype(np.float16) for name, w in sorted(self._weights.items())}
        # One entry: safetensors writes several in any order, and the same tagger is to be the same bytes.
        about = {"about": json.dumps({"format": FORMAT, "fields": self.fields})}
        part = folder / f"{FILE}.part"
        part.write_bytes(save(halves, about))
        part.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; ValueError where it is something else."""
        from safetensors import SafetensorError, safe_open

        path = folder / FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder}: found no {FILE}, expected a folder of ltrr train-conversation"
            )
        try:
            with safe_open(path, "numpy") as file:
                about = json.loads((file.metadata() or {}).get("about", "{}"))
                weights = {n: file.get_tensor(n).astype(np.float32) for n in file.keys()}  # noqa: SIM118 (no dict)
        except SafetensorError as e:
            raise ValueError(f"{path}: no safetensors ({e}); the file is damaged") from None
        if about.get("format") != FORMAT:
            raise ValueError(
                f"{path}: found format {about.get('format')!r}, expected {FORMAT!r}; train anew"
            )
        return cls(tuple(about["fields"]), weights)


@njit(nogil=True, cache=True)
def _lstm(given: Dense, on: Dense, is_backward: bool) -> NDArray[np.float32]:
    """Shape (n, h): the hidden states for inputs (n, 4h), which have been through their weights."""
    n, width = given.shape
    h = width // 4
    states = np.zeros((n, h), np.float32)
    state, cell = np.zeros(h, np.float32), np.zeros(h, np.float32)
    gates = np.empty(width, np.float32)
    for step in range(n):
        at = n - 1 - step if is_backward else step
        gates[:] = given[at]
        for i in range(h):
            value = state[i]
            for j in range(width):
                gates[j] += value * on[i, j]
        for i in range(h):
            put = 1.0 / (1.0 + np.exp(-gates[i]))
            kept = 1.0 / (1.0 + np.exp(-gates[h + i]))
            new = np.tanh(gates[2 * h + i])
            shown = 1.0 / (1.0 + np.exp(-gates[3 * h + i]))
            cell[i] = kept * cell[i] + put * new
            state[i] = shown * np.tanh(cell[i])
        states[at] = state
    return states
