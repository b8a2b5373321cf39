"""Queries of a conversation as they would stand alone."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from conversation.base import Rewrite
from conversation.pointer_decoding import Decoding
from conversation.pointer_reading import Networks
from conversation.rewrite_features import Words, encode
from conversation.rewrite_text import text_of
from conversation.rewrite_tokens import same
from conversation.word_vectors import WordVectors
from retrievers.base import Turn

FILE = "rewriter.safetensors"
FORMAT, VERSION = "ltrr rewriter", 1
BEAM = 4
Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Trust:
    """When a rewrite is believed: the network's log-odds x that a query needs one are right with probability
    1 / (1 + exp(-(slope x + offset))) (Platt 1999), and from `threshold` on it is given."""

    slope: float = 1.0
    offset: float = 0.0
    threshold: float = 0.5

    def of_odds(self, odds: float) -> float:
        """The calibrated probability that a query needs a rewrite."""
        return 1 / (1 + math.exp(-max(min(self.slope * odds + self.offset, 30.0), -30.0)))


def _odds(alone: float) -> float:
    return math.log(max(1 - alone, 1e-9) / max(alone, 1e-9))


@dataclass(frozen=True, slots=True)
class Proposal:
    """The best rewrites of a query with the network's probabilities, and how surely it needs one."""

    needed: float
    rewrites: tuple[tuple[float, str], ...]


class Rewriter:
    """Rewrites queries by pointer-generator networks, several of one shape averaged.

    A query is left alone where the conversation is empty, and where it probably needs no rewrite. Immutable, so
    threads may share one. Made by `conversation.rewrite_training.train_rewriter` or read by `load`.
    """

    def __init__(
        self,
        members: Sequence[Weights],
        heads: int,
        words: Words,
        trust: Trust = Trust(),
        vectors: WordVectors | None = None,
    ) -> None:
        self.words, self.trust, self.vectors, self.heads = words, trust, vectors, heads
        self._members = list(members)
        self._networks = Networks(self._members, heads)

    def odds(self, turns: Sequence[Turn], text: str) -> float:
        """The networks' log-odds that a query needs a rewrite, not calibrated."""
        return _odds(self._decoding(turns, text).alone())

    def propose(self, turns: Sequence[Turn], text: str) -> Proposal:
        """What could stand for a query, whatever `trust` says of it."""
        decoding = self._decoding(turns, text)
        found = decoding.search(BEAM)
        read, say = decoding.read, self.words.say
        return Proposal(
            self.trust.of_odds(_odds(found.alone)),
            tuple((chance, text_of(read, steps, say)) for chance, steps in found.walks),
        )

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        """The query after these turns as it would stand alone."""
        if not turns or not text.strip():
            return Rewrite(text, 1.0)
        decoding = self._decoding(turns, text)
        alone = decoding.alone()
        needed = self.trust.of_odds(_odds(alone))
        if needed < self.trust.threshold:
            return Rewrite(text, 1.0 - needed)
        for _, steps in decoding.search(BEAM).walks:
            made = text_of(decoding.read, steps, self.words.say)
            if made and not same(made, text):
                return Rewrite(made, needed)
        return Rewrite(text, 1.0 - needed)

    def rewrite_many(self, queries: Sequence[tuple[Sequence[Turn], str]]) -> list[Rewrite]:
        """As `rewrite`, of each."""
        return [self.rewrite(turns, text) for turns, text in queries]

    def _decoding(self, turns: Sequence[Turn], text: str) -> Decoding:
        read = encode(turns, text, self.words)
        static = self.vectors.of(read.keys) if self.vectors is not None else None
        return Decoding(self._networks, read, self._networks.read(read, static), self.words.say)

    def save(self, folder: Path) -> None:
        """Write `rewriter.safetensors` into a folder, made where it is missing."""
        arrays: dict[str, NDArray[Any]] = {
            f"{number}.{name}": value.astype(np.float16)
            for number, member in enumerate(self._members)
            for name, value in member.items()
        }
        about = {
            "format": FORMAT,
            "version": VERSION,
            "members": len(self._members),
            "heads": self.heads,
            "read": list(self.words.read),
            "say": list(self.words.say),
            "common": sorted(self.words.common),
            "trust": [self.trust.slope, self.trust.offset, self.trust.threshold],
        }
        if self.vectors is not None:
            arrays["vectors.table"], arrays["vectors.scale"] = (
                self.vectors.table,
                self.vectors.scale,
            )
            about["pieces"] = list(self.vectors.pieces)
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"{FILE}.new"
        with new.open("wb") as file:
            file.write(save(arrays, {"about": json.dumps(about)}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; FileNotFoundError or ValueError where it is not that."""
        path = folder / FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder}: found no {FILE}, expected a folder with a trained rewriter; ltrr train-conversation makes one"
            )
        try:
            with safe_open(path, "numpy") as file:
                about = json.loads((file.metadata() or {}).get("about", "{}"))
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise ValueError(
                f"{path}: found a file that is no safetensors ({error}), expected a rewriter; it may be cut short"
            ) from error
        if about.get("format") != FORMAT or about.get("version") != VERSION:
            raise ValueError(
                f"{path}: found format {about.get('format')!r} version {about.get('version')!r}, expected "
                f"{FORMAT!r} version {VERSION}: it was written by another version, or is another model"
            )
        members: list[Weights] = [
            {
                name.split(".", 1)[1]: value.astype(np.float32)
                for name, value in arrays.items()
                if name.startswith(f"{m}.")
            }
            for m in range(about["members"])
        ]
        vectors = (
            WordVectors(about["pieces"], arrays["vectors.table"], arrays["vectors.scale"])
            if "pieces" in about
            else None
        )
        words = Words(
            {word: at + 3 for at, word in enumerate(about["read"])},
            tuple(about["say"]),
            frozenset(about["common"]),
        )
        return cls(members, about["heads"], words, Trust(*about["trust"]), vectors)
