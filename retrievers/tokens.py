"""Where the words of a text stand in it."""

from __future__ import annotations

import re

from retrievers.analysis import words

Place = tuple[int, int]
"""Characters [start, end)."""
Spellings = list[tuple[str, float]]
MOST = 48
"""Tokens of a text that are looked at; what follows is no query."""
SHORTEST_PLURAL, PLURAL = 3, 0.9
"""Letters of a word that ends in s and is no plural, and how alike a plural is to its singular."""
_RUN = re.compile(r"\S+")
_OUTER = ".,;:?!\"'()[]{}“”„«»‘’…-"
_OWNER = re.compile(r"['’]s?$")


def places(text: str) -> list[Place]:
    """Of every word between spaces, without the punctuation around it unless it is nothing else."""
    found: list[Place] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        left, right = start, end
        while left < right and text[left] in _OUTER:
            left += 1
        while right > left and text[right - 1] in _OUTER:
            right -= 1
        # An apostrophe of the plural possessive, points of initials and the dots of "R.E.M." go with it.
        if left < right:
            start, end = left, right + (text[right : right + 1] == "." and "." in text[left:right])
        found.append((start, end))
        if len(found) == MOST:
            break
    return found


def spellings(text: str) -> Spellings:
    """A token as it is compared, and how alike it is to that; of a possessive ("Adele's") also what
    owns, of what may be a plural ("remixes") also the singular."""
    plain = " ".join(words(text))
    found = [(plain, 1.0)]
    if (owner := _OWNER.sub("", text)) != text and owner:
        found.append((" ".join(words(owner)), 1.0))
    elif len(plain) > SHORTEST_PLURAL and plain.endswith("s"):
        found += [(plain[:-1], PLURAL)] + [(plain[:-2], PLURAL)] * plain.endswith("es")
    return found
