"""A conversation and the query after it as numbers for the pointer-generator network."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conversation.entity_classes import CLASSES, entity_classes
from conversation.rewrite_tokens import Token, runs, tokens
from retrievers.base import Turn

Ints = NDArray[np.int64]

TURNS = 8
"""Turns before the query that are read."""
CONTEXT_TOKENS = 120
"""Tokens before the query that are read, the nearest."""
QUERY_TOKENS = 48
ENDINGS = 256
"""Buckets of the last three letters of a word."""
PAD, UNKNOWN, END = 0, 1, 2
SHAPES = 6
RELATIONS = 8
MENTIONS = 4
ORDERS = 12
"""Of a name in its turn: the first to the fifth or later, each the last of its turn or not; 0 is none."""
COLUMNS = ("word", "ending", "shape", "speaker", "turn", "name", "mentions", "place", "order")
SIZES = {
    "ending": ENDINGS,
    "shape": SHAPES,
    "speaker": 3,
    "turn": TURNS + 1,
    "name": CLASSES,
    "mentions": MENTIONS,
    "place": 12,
    "order": ORDERS,
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a network knows of words: those it reads, those it can say by itself, those written small."""

    read: Mapping[str, int]
    say: tuple[str, ...]
    common: frozenset[str]

    @property
    def said(self) -> dict[str, int]:
        """The place of each word of `say`."""
        return {word: at for at, word in enumerate(self.say)}


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """L tokens of a conversation and its query, an end mark last.

    `columns`: (L, 9) of `COLUMNS`; `keys`: the words as compared; `source`: which turn and characters
    each token is; `query`: the places of the query's words, then that of the end mark; `following`: for
    each token the next word of its turn, or -1; `is_word`: which can be copied.
    """

    columns: Ints
    keys: tuple[str, ...]
    source: tuple[tuple[int, int, int], ...]
    query: Ints
    following: Ints
    is_word: NDArray[np.bool_]
    texts: tuple[str, ...]


def _shape(token: Token, opening: bool) -> int:
    if not token.is_word:
        return 1
    if token.text.isdigit():
        return 2
    if token.text[0].isupper():
        return 3 if opening else 4
    return 5


def _orders(names: Sequence[int]) -> list[int]:
    """Which name of its turn each token is of; see `ORDERS`."""
    found = [0] * len(names)
    spans = runs([name > 0 for name in names])
    for number, (start, end) in enumerate(spans):
        found[start:end] = [1 + min(number, 4) + 5 * (number == len(spans) - 1)] * (end - start)
    return found


def encode(turns: Sequence[Turn], query: str, words: Words) -> Encoded:
    """The last `TURNS` turns and the query as the network reads them."""
    heard = [*turns[-TURNS:], Turn("user", query)]
    read = [tokens(turn.text) for turn in heard]
    read[-1] = read[-1][:QUERY_TOKENS]
    left = CONTEXT_TOKENS
    for at in range(len(read) - 2, -1, -1):
        read[at] = read[at][-left:] if left > 0 else []
        left -= len(read[at])
    classes = entity_classes(heard, read, words.common)
    counts = Counter(token.key for row in read for token in row)
    asked = {token.key for token in read[-1]}
    columns: list[tuple[int, ...]] = []
    keys: list[str] = []
    source: list[tuple[int, int, int]] = []
    following: list[int] = []
    is_word: list[bool] = []
    query_places: list[int] = []
    for at, row in enumerate(read):
        last_word = -1
        opening = True
        is_query = at == len(read) - 1
        order = _orders(classes[at])
        for place, token in enumerate(row):
            here = len(keys)
            name = classes[at][place]
            columns.append((
                UNKNOWN if name and token.key not in words.common else words.read.get(token.key, UNKNOWN),
                zlib.crc32(token.key[-3:].encode()) % ENDINGS,
                _shape(token, opening),
                2 if is_query else int(heard[at].speaker == "system"),
                len(read) - 1 - at,
                name,
                min(counts[token.key] - 1, 1) + (2 if token.key in asked and not is_query else 0),
                min(place, 11),
                order[place],
            ))  # fmt: skip
            keys.append(token.key)
            source.append((at, token.start, token.end))
            following.append(-1)
            is_word.append(token.is_word)
            opening = token.text in ".?!"
            if token.is_word:
                if last_word >= 0:
                    following[last_word] = here
                last_word = here
                if is_query:
                    query_places.append(here)
    query_places.append(len(keys))
    columns.append((END, 0, 0, 2, 0, 0, 0, 0, 0))
    keys.append("")
    source.append((len(read) - 1, len(query), len(query)))
    following.append(-1)
    is_word.append(False)
    return Encoded(
        np.array(columns, np.int64), tuple(keys), tuple(source), np.array(query_places, np.int64),
        np.array(following, np.int64), np.array(is_word), tuple(turn.text for turn in heard),
    )  # fmt: skip


def relations(read: Encoded) -> NDArray[np.bool_]:
    """(8, L, L): same word, name class, turn, speaker; the token before, after; any before; any of the query."""
    numbers: dict[str, int] = {}
    key = np.array([numbers.setdefault(k, len(numbers)) for k in read.keys])
    name, turn, speaker = read.columns[:, 5], read.columns[:, 4], read.columns[:, 3] == 1
    return np.stack([
        (key[:, None] == key) & read.is_word[:, None],
        (name[:, None] == name) & (name > 0)[:, None],
        turn[:, None] == turn,
        speaker[:, None] == speaker,
        *(np.eye(len(key), k=k, dtype=bool) for k in (-1, 1)),
        np.tri(len(key), k=-1, dtype=bool),
        np.broadcast_to(read.columns[:, 3] == 2, (len(key), len(key))),
    ])  # fmt: skip
