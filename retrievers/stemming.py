"""Porter's stemmer: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980.

In the paper's words: m is the number of vowel-consonant sequences of a stem, *v* says that the stem
has a vowel, *d that it ends in a double consonant, *o that it ends consonant-vowel-consonant, the
last not w, x or y.
"""

from __future__ import annotations

import re

# "y" is a consonant at the start of a word and after a vowel, else a vowel.
_CONSONANTS = "[^aeiou][^aeiouy]*"
_VOWELS = "[aeiouy][aeiou]*"
_POSITIVE = re.compile(f"(?:{_CONSONANTS})?{_VOWELS}{_CONSONANTS}")  # m > 0
_ONE = re.compile(f"(?:{_CONSONANTS})?{_VOWELS}{_CONSONANTS}(?:{_VOWELS})?$")  # m = 1
_SEVERAL = re.compile(f"(?:{_CONSONANTS})?(?:{_VOWELS}{_CONSONANTS}){{2}}")  # m > 1
_VOWEL = re.compile(f"(?:{_CONSONANTS})?[aeiouy]")  # *v*
_DOUBLE = re.compile(r"([^aeiouylsz])\1$")  # *d, and not l, s or z
_SHORT = re.compile(f"{_CONSONANTS}[aeiouy][^aeiouwxy]$")  # *o, nothing before

_STEP2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize",
    "abli": "able", "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize",
    "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive", "fulness": "ful",
    "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble",
}  # fmt: skip
_STEP3 = {
    "icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": "",
}  # fmt: skip
_STEP4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "sion",
    "tion", "ou", "ism", "ate", "iti", "ous", "ive", "ize",
)  # fmt: skip


def _ending(suffixes: dict[str, str] | tuple[str, ...]) -> re.Pattern[str]:
    """Matches the longest of the suffixes."""
    return re.compile(f"(?:{'|'.join(sorted(suffixes, key=len, reverse=True))})$")


_END2, _END3, _END4 = _ending(_STEP2), _ending(_STEP3), _ending(_STEP4)


def _plurals_and_participles(word: str) -> str:
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        return word[:-1] if _POSITIVE.match(word[:-3]) else word
    stem = word[:-2] if word.endswith("ed") else word[:-3] if word.endswith("ing") else ""
    if not _VOWEL.match(stem):
        return word
    if stem.endswith(("at", "bl", "iz")) or _SHORT.fullmatch(stem):
        return stem + "e"
    return stem[:-1] if _DOUBLE.search(stem) else stem


def _replaced(word: str, ending: re.Pattern[str], endings: dict[str, str]) -> str:
    match = ending.search(word)
    if match is None or not _POSITIVE.match(word[: match.start()]):
        return word
    return word[: match.start()] + endings[match[0]]


def _stripped(word: str) -> str:
    match = _END4.search(word)
    if match is None:
        return word
    end = match.start() + (match[0] in ("sion", "tion"))
    return word[:end] if _SEVERAL.match(word[:end]) else word


def porter(word: str) -> str:
    """The stem of a lower-case word; words of one or two letters are their own."""
    if len(word) <= 2:
        return word
    word = _plurals_and_participles(word)
    if word.endswith("y") and _VOWEL.match(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(word, _END2, _STEP2)
    word = _replaced(word, _END3, _STEP3)
    word = _stripped(word)
    if word.endswith("e"):
        stem = word[:-1]
        if _SEVERAL.match(stem) or (_ONE.match(stem) and not _SHORT.fullmatch(stem)):
            word = stem
    return word[:-1] if word.endswith("ll") and _SEVERAL.match(word[:-1]) else word
