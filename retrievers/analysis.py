"""From text to searchable words, the same for documents and queries, in every script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, get_args

from retrievers.stemming import porter

Stemming = Literal["none", "english"]

# The stop words of Lucene's English analyzer.
ENGLISH_STOPWORDS = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they",
    "this", "to", "was", "will", "with",
))  # fmt: skip

# Letters that Unicode does not decompose, though people type them without the stroke; characters
# that are invisible or optional (joiners, soft hyphen, Arabic tatweel); apostrophes, which join:
# "don't" is found by "dont".
_FOLDED = str.maketrans(
    dict(zip("øłđðħŧıþæœ", ("o", "l", "d", "d", "h", "t", "i", "th", "ae", "oe"), strict=True))
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u0640")
    | dict.fromkeys("'`´\u2018\u2019\u201b\u02bc\u02b9\u02bb")
)
# Accents of Latin, Greek and Cyrillic, vowel points of Hebrew and Arabic. Vowel signs of other
# scripts (Devanagari, Thai...) and the Japanese voicing marks are letters: they stay.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c7\u064b-\u065f\u0670]")
_MARKS = "".join(
    chr(code) for code in range(0x483, 0xAC00) if unicodedata.category(chr(code)) in ("Mn", "Mc")
)
_WORD = re.compile(f"[^\\W_]+(?:[{_MARKS}]+[^\\W_]*)*")
_ASCII_WORD = re.compile("[a-z0-9]+")
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han, Hangul (whose words carry
# their particles).
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]+"
)
_SPECIAL = re.compile(r"[&+.$!]")
_LETTER_S = re.compile(r"(?<=[^\W\d_])\$(?=[^\W\d_])")
_LETTER_I = re.compile(r"(?<=[^\W\d_])!(?=[^\W\d_])")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?")


def normalise(text: str) -> str:
    """The text as it is compared: NFKC, case and accents folded, spaces collapsed.

    Apostrophes join ("don't" → "dont"), "&" and a "+" between spaces read "and", initials lose
    their points ("R.E.M." → "rem"), and "$" and "!" between letters read "s" and "i" ("P!nk").
    """
    if text.isascii():
        text = text.lower().replace("'", "").replace("`", "")
    else:
        text = unicodedata.normalize("NFKC", text).casefold()
        text = unicodedata.normalize("NFKD", text).translate(_FOLDED)
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", text))
    if _SPECIAL.search(text):
        text = text.replace("&", " and ").replace(" + ", " and ")
        text = _INITIALS.sub(lambda match: match[0].replace(".", ""), text)
        text = _LETTER_I.sub("i", _LETTER_S.sub("s", text))
    return " ".join(text.split())


def words(text: str) -> list[str]:
    """The words of `normalise(text)`; the whole of it, cut at spaces, where it has no letter.

    So that "!!!" and "?" (an artist, a song) can be found.
    """
    text = normalise(text)
    found: list[str] = (_ASCII_WORD if text.isascii() else _WORD).findall(text)
    return found or text.split()


def _unspaced(word: str) -> Iterator[str]:
    """Single characters and overlapping pairs of the runs written without spaces, others whole."""
    end = 0
    for match in _UNSPACED.finditer(word):
        if match.start() > end:
            yield word[end : match.start()]
        run = match[0]
        yield from run
        yield from map("".join, pairwise(run))
        end = match.end()
    if end < len(word):
        yield word[end:]


_stem = lru_cache(maxsize=1 << 16)(porter)


@dataclass(frozen=True, slots=True)
class Analyzer:
    """Cuts text into tokens; equal settings give equal tokens.

    `stem` "english" takes Porter's stem of each ASCII word. `stopwords` are dropped, unless the
    text has no others ("The The").
    """

    stem: Stemming = "none"
    stopwords: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.stem not in get_args(Stemming):
            raise ValueError(
                f"Analyzer.stem: found {self.stem!r}, expected one of {get_args(Stemming)}"
            )

    def tokens(self, text: str) -> list[str]:
        """In the order of the text, repetitions kept; empty only where the text is blank."""
        found = words(text)
        if not text.isascii():
            found = [part for word in found for part in _unspaced(word)]
        if self.stopwords:
            found = [word for word in found if word not in self.stopwords] or found
        if self.stem == "english":
            found = [_stem(word) if word.isascii() else word for word in found]
        return found
