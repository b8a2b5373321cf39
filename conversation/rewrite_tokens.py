"""Words and marks of an utterance, with the characters they stand on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Token:
    """Characters [start, end) of a text: a word, or a single mark that is none."""

    text: str
    start: int
    end: int

    @property
    def key(self) -> str:
        """What two tokens share when they are the same word."""
        return self.text.casefold()

    @property
    def is_word(self) -> bool:
        """Whether it is a word rather than a mark."""
        return self.text[0].isalnum() or self.text[0] == "_"


def tokens(text: str) -> list[Token]:
    """The tokens of a text in order."""
    return [Token(found.group(), found.start(), found.end()) for found in TOKEN.finditer(text)]


def keys(text: str) -> list[str]:
    """The words of a text as they are compared: case folded, marks left out."""
    return [token.key for token in tokens(text) if token.is_word]


def same(one: str, other: str) -> bool:
    """Whether two texts say the same words."""
    return keys(one) == keys(other)


def runs(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """The maximal [start, end) on which `flags` hold."""
    found: list[tuple[int, int]] = []
    start = None
    for at, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = at
        elif not flag and start is not None:
            found.append((start, at))
            start = None
    return found
