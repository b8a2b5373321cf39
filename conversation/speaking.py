"""A turn's template put into words: values said, offsets kept, letters as this speaker types them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversation.base import Slot
from conversation.phrasing import Rng, slipped
from conversation.wording import pieces


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody types: all in lower case or not, without punctuation or not, slips a turn."""

    lower: bool = False
    bare: bool = False
    slips: float = 0.0


def said(
    template: str, slots: Sequence[tuple[str, str, str]], manner: Manner, rng: Rng
) -> tuple[str, tuple[Slot, ...]]:
    """The text of a template whose places `{n}` are slots (field, value, words), and its slots."""
    text, found = "", []
    slip = rng.random() < manner.slips
    for place, part in pieces(template):
        if not place:
            words = _typed(part, manner)
            if slip and rng.random() < 0.3:
                words, slip = _slipped_word(words, rng), False
            text += words
            continue
        field, value, words = slots[int(part)]
        start, text = len(text), text + _typed(words, manner)
        found.append(Slot(field, value, start, len(text)))
    whole = text.rstrip()
    end = len(whole)
    return whole, tuple(Slot(s.name, s.value, s.start, min(s.end, end)) for s in found)


def filled(template: str, values: Mapping[str, str], manner: Manner) -> str:
    """The text of a template whose places are looked up by name."""
    return "".join(
        _typed(values[part] if place else part, manner) for place, part in pieces(template)
    ).strip()


def _typed(text: str, manner: Manner) -> str:
    if manner.bare:
        text = "".join(c for c in text if c not in ".,?!")
    return text.lower() if manner.lower else text


def _slipped_word(text: str, rng: Rng) -> str:
    words = text.split(" ")
    at = int(rng.integers(len(words)))
    words[at] = slipped(words[at], rng) if words[at].isalpha() else words[at]
    return " ".join(words)
