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
from conversation.contextual_words import ContextualWords, PieceReader
from conversation.pointer_decoding import Decoding
from conversation.pointer_reading import Networks
from conversation.rewrite_features import Words, encode
from conversation.rewrite_text import text_of
from conversation.weighing import MOST_LOG_ODDS, weigh
from retrievers.base import Turn

FILE = "rewriter.safetensors"
FORMAT, VERSION = "ltrr rewriter", 2
BEAM = 4
Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Trust:
    """When a rewrite is believed: a worth x is that of a query that needs one with probability
    1 / (1 + exp(-(slope x + offset))) (Platt 1999), and from `threshold` on it is given."""

    slope: float = 1.0
    offset: float = 0.0
    threshold: float = 0.5

    def of(self, worth: float) -> float:
        """The calibrated probability that a query needs a rewrite."""
        return 1 / (1 + math.exp(-max(min(self.slope * worth + self.offset, 30.0), -30.0)))


def _odds(alone: float) -> float:
    return math.log(max(1 - alone, 1e-9) / max(alone, 1e-9))


@dataclass(frozen=True, slots=True)
class Proposal:
    """The best rewrite of a query, whether or not it is believed, and its worth: the log-odds that the
    query needs one and the logarithm of how many words it brings."""

    text: str
    worth: float


class Rewriter:
    """Rewrites queries by pointer-generator networks, several of one shape averaged.

    A query is left alone where the conversation is empty, and where it probably needs no rewrite. `reading`: by which
    layer of a pretrained encoder each network reads beside its own words. Immutable, so threads may share one. Made by
    `conversation.rewriter_training.train_rewriter` or read by `load`.
    """

    def __init__(
        self,
        members: Sequence[Weights],
        heads: int,
        words: Words,
        trust: Trust = Trust(),
        reading: ContextualWords | None = None,
    ) -> None:
        self.words, self.trust, self.reading, self.heads = words, trust, reading, heads
        self._members = list(members)
        self._networks = Networks(self._members, heads)

    def propose(self, turns: Sequence[Turn], text: str) -> Proposal:
        """What could stand for a query, whatever `trust` says of it; worth -inf where nothing could."""
        if not turns or not text.strip():
            return Proposal(text, -math.inf)
        decoding = self._decoding(turns, text)
        return self._proposal(decoding, _odds(decoding.alone()), text)

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        """The query after these turns as it would stand alone."""
        if not turns or not text.strip():
            return Rewrite(text, 1.0)
        decoding = self._decoding(turns, text)
        odds = _odds(decoding.alone())
        if self.trust.of(odds + MOST_LOG_ODDS) < self.trust.threshold:
            # no rewrite could bring enough, so none is searched
            return Rewrite(text, 1.0 - self.trust.of(odds))
        proposal = self._proposal(decoding, odds, text)
        needed = self.trust.of(proposal.worth)
        if needed < self.trust.threshold:
            return Rewrite(text, 1.0 - needed)
        return Rewrite(proposal.text, needed)

    def _proposal(self, decoding: Decoding, odds: float, text: str) -> Proposal:
        read, say = decoding.read, self.words.say
        found = decoding.search(BEAM)
        best = weigh(text, [(chance, text_of(read, steps, say)) for chance, steps in found])
        if best is None:
            return Proposal(text, -math.inf)
        return Proposal(best.text, odds + best.log_odds)

    def rewrite_many(self, queries: Sequence[tuple[Sequence[Turn], str]]) -> list[Rewrite]:
        """As `rewrite`, of each."""
        return [self.rewrite(turns, text) for turns, text in queries]

    def _decoding(self, turns: Sequence[Turn], text: str) -> Decoding:
        read = encode(turns, text, self.words)
        pretrained = self.reading.of(read) if self.reading is not None else None
        return Decoding(self._networks, read, self._networks.read(read, pretrained), self.words.say)

    def save(self, folder: Path) -> None:
        """Write `rewriter.safetensors` into a folder, made where it is missing."""
        arrays: dict[str, NDArray[Any]] = {
            f"{number}.{name}": value.astype(np.float16)
            for number, member in enumerate(self._members)
            for name, value in member.items()
        }
        about: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "members": len(self._members),
            "heads": self.heads,
            "read": list(self.words.read),
            "say": list(self.words.say),
            "common": sorted(self.words.common),
            "trust": [self.trust.slope, self.trust.offset, self.trust.threshold],
        }
        if self.reading is not None:
            about["reader"], about["layers"] = self.reading.reader.identity, self.reading.layers
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"{FILE}.new"
        with new.open("wb") as file:
            file.write(save(arrays, {"about": json.dumps(about)}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path, reader: PieceReader | None = None) -> Self:
        """Read what `save` wrote; FileNotFoundError or ValueError where it is not that, or where it was
        trained with another `reader`."""
        path = folder / FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder}: found no {FILE}, expected a folder with a trained rewriter; ltrr train-conversation makes one"
            )
        try:
            with safe_open(path, "numpy") as file:
                about = json.loads((file.metadata() or {}).get("about", "{}"))
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
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
        reading = None
        if "reader" in about:
            if reader is None or reader.identity != about["reader"]:
                raise ValueError(
                    f"{path}: found {reader.identity if reader else 'no encoder'}, expected "
                    f"{about['reader']}, with which this rewriter was trained: pip install ltrr[minilm]"
                )
            reading = ContextualWords(reader, about["layers"])
        words = Words(
            {word: at + 3 for at, word in enumerate(about["read"])},
            tuple(about["say"]),
            frozenset(about["common"]),
        )
        return cls(members, about["heads"], words, Trust(*about["trust"]), reading)
