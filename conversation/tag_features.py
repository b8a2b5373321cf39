"""What the tagger sees of every token: its letters, what the catalogue may mean by it, what was said before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from conversation.base import Slot
from retrievers.base import Heard, Turn

Dense: TypeAlias = NDArray[np.float32]

BUCKETS = 4096
"""Embeddings that words share by their hashes; pieces of words share as many of their own."""
PIECES = 12
"""Pieces of a word that are looked at."""
SHAPES = 8
"""Columns of a token's form and of where it was said before."""
PER_FIELD = 5
"""Columns of each field: a whole name begins here, goes on here; part of a name, or a misspelt one;
the last turn of the user, of the system, named something of it."""
OF_SLOTS: Mapping[str, str] = {"kind": "type", "sort": "order", "decade": "year"}
"""Names of slots that the readings of a query call otherwise."""
_NOT = re.compile(r"^(?:not_|-)")
_SPELT = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Fields that were named in the last turn of either, and the words of earlier turns."""

    user: frozenset[str] = frozenset()
    system: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()

    @classmethod
    def of(cls, turns: Sequence[Turn], fields: Sequence[Iterable[str]]) -> Past:
        """`fields`: those named in each of the turns."""
        named: dict[str, frozenset[str]] = {}
        words: dict[str, set[str]] = {"user": set(), "system": set()}
        for turn, those in zip(turns, fields, strict=True):
            named[turn.speaker] = frozenset(map(field_of, those))
            words[turn.speaker].update(_words(turn.text))
        nothing = frozenset[str]()
        return cls(
            named.get("user", nothing),
            named.get("system", nothing),
            frozenset(words["user"]),
            frozenset(words["system"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Of n tokens: hashes of words (n,), of their pieces (n, PIECES) with -1 behind the last, and the
    columns (n, SHAPES + PER_FIELD x fields)."""

    words: NDArray[np.int32]
    pieces: NDArray[np.int32]
    columns: Dense


def field_of(slot: str) -> str:
    """What a slot is called in a reading; one that excludes is of the same field."""
    name = _NOT.sub("", slot)
    return OF_SLOTS.get(name, name)


def seen(heard: Heard, past: Past, fields: Mapping[str, int]) -> Seen:
    """The features of a text, for a tagger of these fields by their number."""
    n = len(heard.places)
    words, pieces = np.zeros(n, np.int32), np.full((n, PIECES), -1, np.int32)
    columns = np.zeros((n, SHAPES + PER_FIELD * len(fields)), np.float32)
    for token, (start, end) in enumerate(heard.places):
        text = heard.text[start:end]
        known = _hashes(text.casefold())
        words[token] = known[0]
        pieces[token, : len(known) - 1] = known[1:]
        spelt = _words(text)
        columns[token, :SHAPES] = (
            any(map(str.isdigit, text)), text[:1].isupper(), text.isupper(), min(len(text), 12) / 12,
            token == 0, token == n - 1,
            bool(spelt) and past.said.issuperset(spelt), bool(spelt) and past.shown.issuperset(spelt),
        )  # fmt: skip
    _mentioned(heard, fields, columns)
    for column, named in ((3, past.user), (4, past.system)):
        for field in named:
            if field in fields:
                columns[:, SHAPES + PER_FIELD * fields[field] + column] = 1.0
    return Seen(words, pieces, columns)


def _mentioned(heard: Heard, fields: Mapping[str, int], columns: Dense) -> None:
    at = {start: token for token, (start, _) in enumerate(heard.places)}
    ends = {end: token + 1 for token, (_, end) in enumerate(heard.places)}
    for mention in heard.mentions:
        number = fields.get(field_of(mention.span.field))
        first, end = at.get(mention.span.start), ends.get(mention.span.end)
        if number is None or first is None or end is None:
            continue
        column = SHAPES + PER_FIELD * number
        if mention.whole:
            # Longer names are surer to be meant.
            sure = min(0.5 + 0.25 * (end - first - 1), 1.0)
            columns[first, column] = max(columns[first, column], sure)
            inside = columns[first + 1 : end, column + 1]
        else:
            sure = mention.likeness
            inside = columns[first:end, column + 2]
        np.maximum(inside, np.float32(sure), out=inside)


def labels(
    places: Sequence[tuple[int, int]], slots: Sequence[Slot], fields: Mapping[str, int]
) -> NDArray[np.int64]:
    """Shape (n,): 0 for no field, 1 + 2f where one begins, 2 + 2f where it goes on."""
    found = np.zeros(len(places), np.int64)
    for slot in slots:
        number = fields.get(field_of(slot.name))
        if number is None:
            continue
        inside = [
            t for t, (start, end) in enumerate(places) if start < slot.end and end > slot.start
        ]
        if _NOT.match(slot.name):
            inside = inside[-1:]  # "no live", "not live": the value is what is left out
        for token in inside:
            found[token] = 2 + 2 * number - (token == inside[0])
    return found


def _words(text: str) -> list[str]:
    return _SPELT.findall(text.casefold())


@lru_cache(maxsize=1 << 14)
def _hashes(word: str) -> tuple[int, ...]:
    """Of the word, and of its pieces of three letters."""
    padded = f"<{word}>"
    pieces = [padded[i : i + 3] for i in range(max(len(padded) - 2, 1))][:PIECES]
    return tuple(crc32(text.encode("utf-8", "surrogatepass")) % BUCKETS for text in (word, *pieces))
