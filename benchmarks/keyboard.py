"""How people type a name: prefixes, slips between neighbouring keys, lost accents, swapped words."""

from __future__ import annotations

import unicodedata

import numpy as np

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SLIPS = ("neighbour", "drop", "double", "swap")


def neighbours(letter: str) -> str:
    """The keys around a letter on a QWERTY keyboard; empty for what is no such letter."""
    for r, row in enumerate(ROWS):
        place = row.find(letter)
        if place >= 0:
            around = row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
            for other in ROWS[max(r - 1, 0) : r] + ROWS[r + 1 : r + 2]:
                around += other[max(place - 1, 0) : place + 1]
            return around
    return ""


def plain(text: str) -> str:
    """Without accents, as a keyboard without them gives it."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def slip(text: str, rng: np.random.Generator) -> str:
    """One slip of the fingers; texts under three characters come out right."""
    if len(text) < 3:
        return text
    place = int(rng.integers(1, len(text)))
    kind = SLIPS[int(rng.integers(len(SLIPS)))]
    around = neighbours(text[place])
    if kind == "neighbour" and around:
        return text[:place] + around[int(rng.integers(len(around)))] + text[place + 1 :]
    if kind == "double":
        return text[:place] + text[place] + text[place:]
    if kind == "swap":
        return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]
    return text[:place] + text[place + 1 :]


def prefix(text: str, rng: np.random.Generator) -> str:
    """The beginning of a text, at least three characters, as somebody types who expects to be
    understood early."""
    if len(text) <= 4:
        return text
    return text[: int(rng.integers(max(3, len(text) // 2), len(text)))].rstrip()


def swapped(text: str, rng: np.random.Generator) -> str:
    """Words in another order."""
    words = text.split()
    return " ".join(words[i] for i in rng.permutation(len(words)))


def without_a_word(text: str, rng: np.random.Generator) -> str:
    """One word left out of three or more."""
    words = text.split()
    if len(words) < 3:
        return text
    del words[int(rng.integers(len(words)))]
    return " ".join(words)
