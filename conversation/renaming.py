"""The same rewrites with other names: a rewrite stays right when a name is exchanged throughout.

Andreas 2020, "Good-Enough Compositional Data Augmentation". First and last names become others of their
kind, so that pronouns still fit; other names that are said more than once become titles nobody knows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from conversation.rewrite_data import RewriteExample
from conversation.rewrite_tokens import tokens
from conversation.scene_names import fill, kinds, pick, small
from retrievers.base import Turn

PEOPLE = ("man", "woman", "last")
NO_NAMES = frozenset(
    [
        "i",
        "ok",
        "okay",
        "yes",
        "no",
        "what",
        "who",
        "when",
        "where",
        "which",
        "is",
        "are",
        "do",
        "does",
        "did",
        "can",
        "could",
        "play",
        "add",
        "send",
        "call",
        "please",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "am",
        "pm",
        "hi",
        "hello",
        "mom",
        "dad",
        "thanks",
        "thank",
    ]
)
"""Words often written large that are kept."""
SHORT = 2
"""Words up to so many letters are kept in titles."""


def renamed(example: RewriteExample, rng: np.random.Generator) -> RewriteExample | None:
    """The example with its names exchanged for others, or None where it has none."""
    texts = [*(turn.text for turn in example.turns), example.query, example.rewrite]
    said = Counter(name for text in texts for name in dict.fromkeys(names_in(text)))
    exchanged: dict[str, str] = {}
    for name, times in said.items():
        words = name.lower().split()
        for word in words:
            kind = person_kind(word)
            if kind and word not in exchanged:
                exchanged[word] = pick(kinds()[kind], rng)
        if times > 1 and not any(word in exchanged or word in NO_NAMES for word in words):
            title = fill("song", rng, ())[""].split()
            long = [word for word in words if len(word) > SHORT]
            exchanged.update({word: title[min(at, len(title) - 1)] for at, word in enumerate(long)})
    if not exchanged:
        return None
    return replace(
        example,
        id=f"{example.id}-renamed-{int(rng.integers(1 << 30))}",
        turns=tuple(Turn(turn.speaker, _exchange(turn.text, exchanged)) for turn in example.turns),
        query=_exchange(example.query, exchanged),
        rewrite=_exchange(example.rewrite, exchanged),
        style="renamed",
    )


def person_kind(word: str) -> str | None:
    """The kind of a person's name in small letters, or None where it is none."""
    if word in NO_NAMES:
        return None
    return next((kind for kind in PEOPLE if word in small(kind)), None)


def names_in(text: str) -> list[str]:
    """Runs of words written large, at the start of a sentence only if they are people's names."""
    runs: list[list[str]] = []
    opening, inside = True, False
    for token in tokens(text):
        large = token.is_word and token.text[0].isupper() and len(token.text) > 1
        named = (
            large and token.key not in NO_NAMES and (not opening or bool(person_kind(token.key)))
        )
        if named and inside:
            runs[-1].append(token.text)
        elif named:
            runs.append([token.text])
        inside = named
        opening = token.text in ".?!`"
    return [" ".join(run) for run in runs]


def _exchange(text: str, exchanged: Mapping[str, str]) -> str:
    def of(found: re.Match[str]) -> str:
        word = found.group()
        new = exchanged.get(word.lower())
        if new is None or (word.islower() and not person_kind(word)):
            return word
        return new.lower() if word.islower() else new

    return re.sub(r"\w+", of, text)
