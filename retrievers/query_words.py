"""Words of English queries that are no names: kinds, years, orders, what excludes, what fills up.

Read off the text alone, whatever the catalogue calls its things.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from retrievers.base import Span
from retrievers.tokens import Place

YEAR, KIND, ORDER, WORD, NOT = "year", "type", "order", "word", "-"
"""Fields of spans that name no value of the catalogue (a word: what is asked for has it in its name),
and what stands before one that is excluded."""
RANGE = ".."
"""What stands between the years of a range; "1980..": from 1980 on."""
NEWEST, OLDEST, POPULAR = "newest", "oldest", "popular"

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "track": ("song", "tune", "single", "music"),
    "song": ("track", "tune", "single", "music"),
    "artist": ("band", "singer", "group", "musician"),
    "album": ("record", "lp"),
    "movie": ("film",),
    "film": ("movie",),
    "station": ("radio",),
}
"""Other words for kinds of documents, by the type that a catalogue may call them."""
FILLERS = frozenset((
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "another", "any",
    "anything", "are", "at", "be", "before", "between", "but", "by", "can", "could", "did", "do",
    "does", "else", "except", "find", "for", "from", "get", "give", "go", "had", "has", "have",
    "he", "hear", "hello", "her", "hey", "hi", "him", "his", "how", "i", "id", "if", "im", "in",
    "into", "is", "it", "its", "just", "kind", "let", "lets", "like", "listen", "little",
    "looking", "made", "me", "more", "my", "need", "next", "no", "not", "now", "of", "off", "ok",
    "okay", "on", "one", "ones", "or", "other", "our", "out", "play", "please", "put", "queue",
    "really", "sang", "search", "she", "show", "sings", "some", "something", "sound", "start",
    "still", "sung", "tell", "than", "that", "thats", "the", "their", "them", "then", "there",
    "these", "they", "thing", "this", "those", "to", "too", "try", "up", "us", "wanna", "want",
    "was", "we", "were", "what", "whats", "which", "who", "whos", "will", "with", "without",
    "would", "yeah", "yes", "you", "your",
))  # fmt: skip
"""Words that a query may have without naming anything; some are names nevertheless."""
EXCLUDING = frozenset({"not", "no", "non", "without", "except", "excluding", "nothing", "minus"})
_BETWEEN = FILLERS - EXCLUDING - {"but", "and", "or"} | {
    "the",
    "by",
    "a",
    "an",
    "any",
    "in",
    "version",
}
CREATED_BY = frozenset({"by", "from"})

_NUMBERS = {
    "twenties": 1920, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
    "eighties": 80, "nineties": 90, "noughties": 2000,
}  # fmt: skip
_DECADE = re.compile(r"['’]?(?P<full>1[89]|20)?(?P<ten>\d)0['’]?s", re.IGNORECASE)
_YEAR = re.compile(r"(?:1[89]\d\d|20\d\d)")
_BEFORE = frozenset({"before", "until", "till", "older", "pre"})
_AFTER = frozenset({"after", "since", "newer", "post"})
_ORDERS = {
    **dict.fromkeys(
        ("latest", "newest", "most recent", "newly released", "recent", "last"), NEWEST
    ),
    **dict.fromkeys(("new",), NEWEST),
    **dict.fromkeys(("oldest", "earliest", "first", "debut"), OLDEST),
    **dict.fromkeys(("most popular", "popular", "best known", "best", "biggest"), POPULAR),
    **dict.fromkeys(("most famous", "famous", "top", "hits", "greatest hits"), POPULAR),
}


@lru_cache(maxsize=64)
def kind_words(types: tuple[str, ...]) -> dict[str, str]:
    """Word → type of document: what types are called, in the singular and the plural."""
    names: dict[str, str] = {}
    known = list(types)
    for type in known:
        for word in (type.casefold(), *SYNONYMS.get(type.casefold(), ())):
            if word != type.casefold() and word in map(str.casefold, known):
                continue
            for form in (
                word,
                f"{word}s",
                f"{word[:-1]}ies" if word.endswith("y") else f"{word}es",
            ):
                names.setdefault(form, type)
    return names


def between(years: str) -> tuple[float, float]:
    """The first year of a range, and the one behind its last."""
    low, _, high = years.partition(RANGE)
    return float(low or -math.inf), float(high or math.inf) + 1.0


def decade(text: str) -> str | None:
    """The years of "the 80s", "1980s" or "eighties" as a range, of "20s" this century's; None for other
    words."""
    if found := _DECADE.fullmatch(text):
        ten = int(found["ten"]) * 10
        century = int(found["full"]) * 100 if found["full"] else 2000 if ten < 30 else 1900
        return f"{century + ten}..{century + ten + 9}"
    number = _NUMBERS.get(text.casefold())
    if number is None:
        return None
    start = number if number > 100 else 1900 + number
    return f"{start}..{start + 9}"


def years(text: str, where: Sequence[Place]) -> Iterator[Span]:
    """Decades, years, and what is before, after or between years."""
    tokens = [text[start:end].casefold() for start, end in where]
    for i, token in enumerate(tokens):
        (start, end), before = where[i], tokens[max(i - 2, 0) : i]
        if (found := decade(token)) is not None:
            yield Span(start, end, YEAR, _open(found, before))
        elif _YEAR.fullmatch(token):
            yield Span(start, end, YEAR, _open(f"{token}..{token}", before))
            if i >= 3 and tokens[i - 1] in ("and", "to") and _YEAR.fullmatch(tokens[i - 2]):
                yield Span(where[i - 2][0], end, YEAR, f"{tokens[i - 2]}..{token}")


def _open(years: str, before: Sequence[str]) -> str:
    """A range without the side that words before it leave open."""
    low, _, high = years.partition("..")
    if _BEFORE.intersection(before):
        return f"..{int(low) - 1}"
    if _AFTER.intersection(before):
        return f"{low}.." if "since" in before else f"{int(high) + 1}.."
    return years


def orders(text: str, where: Sequence[Place]) -> Iterator[Span]:
    """ "latest", "most popular", "first": which of several comes first."""
    tokens = [text[start:end].casefold() for start, end in where]
    at = 0
    while at < len(tokens):
        for size in (2, 1):
            order = _ORDERS.get(" ".join(tokens[at : at + size]))
            if order is not None and at + size <= len(tokens):
                yield Span(where[at][0], where[at + size - 1][1], ORDER, order)
                break
        at += size


def kinds(text: str, where: Sequence[Place], names: Mapping[str, str]) -> Iterator[Span]:
    """Words for a type of document."""
    for start, end in where:
        if (type := names.get(text[start:end].casefold())) is not None:
            yield Span(start, end, KIND, type)


def is_filler(tokens: Sequence[str], at: int) -> bool:
    """Whether a token fills up a sentence; "love" does in "I'd love to hear"."""
    if tokens[at] == "love":
        return tokens[at + 1 : at + 2] == ["to"]
    return tokens[at] in FILLERS


def is_excluded(text: str, where: Sequence[Place], first: int) -> bool:
    """Whether what begins at token `first` is what the query does not want: "not live", "no remixes"."""
    for start, end in reversed(where[max(first - 3, 0) : first]):
        token = text[start:end].casefold()
        if token in EXCLUDING:
            return True
        if token not in _BETWEEN:
            return False
    return False
