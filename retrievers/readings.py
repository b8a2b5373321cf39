"""Ways to understand a query, by rules: which of its words name what, and how probable that is.

A reading takes every token as part of a span or as of no meaning; its score adds up what each costs.
Readings compete with each other and with none, by the softmax of their scores.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from retrievers.base import Mention, Reading, Span
from retrievers.query_words import (
    CREATED_BY,
    KIND,
    NOT,
    ORDER,
    WORD,
    YEAR,
    is_excluded,
    is_filler,
    kinds,
    orders,
    years,
)
from retrievers.tokens import Place, places
from retrievers.value_table import key_of

CREATORS = frozenset({"artist", "author", "brand", "composer", "creator", "director", "featured"})
"""Fields of whoever something is by."""
BEAM, MOST = 24, 6
"""Readings carried on from word to word, and those given at most."""
LEAST = 0.02
"""The probability of a reading that is still given."""
APART = 0.15
"""How much less probable a reading is whose names and values no document has together."""
_FILLER, _WORD, _UNREAD = -0.1, -2.2, -3.0
"""What a word costs that stands for nothing, of fillers; one that may be a word of a name; and others."""
_NAME, _FIELD, _RULE = -0.4, -1.2, -0.3
"""What a span costs: of a document's own kind of name, of another field's value, of a rule's."""
_CLASS = 0.4
"""How much less the value of a field costs, by the log (base 10, at most 3) of the rows that have it."""
_TWICE = -1.0
"""What a second name of one kind costs."""
_UNWANTED = -1.0
"""What excluding a document's name costs: versions and genres are excluded more often."""
_FAR = 4.0
"""How much a name costs the less alike it is, by the log of its likeness."""


def readings(
    text: str,
    mentions: Sequence[Mention],
    names: Mapping[str, str],
    most: float,
    knows: Callable[[str], bool],
    agrees: Callable[[tuple[Span, ...]], bool],
) -> tuple[Reading, ...]:
    """The likeliest readings, best first; probabilities are at most 1 in sum.

    `mentions`: what the catalogue knows of the text; `names`: words for its types; `most`: the highest
    weight of a mention; `knows`: whether some name has a word; `agrees`: whether some document is as all spans say.
    """
    where = places(text)
    if not where:
        return ()
    of = {start: token for token, (start, _) in enumerate(where)}
    ends = {end: token + 1 for token, (_, end) in enumerate(where)}
    tokens = [text[start:end].casefold() for start, end in where]
    types = set(names.values())
    offers: dict[int, list[tuple[int, Span, float]]] = defaultdict(list)
    for mention in mentions:
        first, end = of.get(mention.span.start), ends.get(mention.span.end)
        if first is not None and end is not None:
            cost = _cost(mention, tokens, first, end, types, names, most)
            offers[first].append((end, mention.span, cost))
    for span in (*years(text, where), *orders(text, where), *kinds(text, where, names)):
        offers[of[span.start]].append((ends[span.end], span, _RULE))
    for token, (start, end) in enumerate(where):
        word = key_of(text[start:end])
        if not is_filler(tokens, token) and tokens[token] not in names and knows(word):
            offers[token].append((token + 1, Span(start, end, WORD, word), _WORD))
    for first, given in offers.items():
        if is_excluded(text, where, first):
            offers[first] = [
                (end, _excluded(span), cost + (_UNWANTED if span.field in types else 0.0))
                for end, span, cost in given
            ]
    best = _search(tokens, offers, types)
    return _weighed(best, where, agrees)


def _cost(
    mention: Mention,
    tokens: Sequence[str],
    first: int,
    end: int,
    types: set[str],
    names: Mapping[str, str],
    most: float,
) -> float:
    """What reading a mention costs; the fuller, the more alike and the better known, the less."""
    span, size = mention.span, end - first
    if span.field in types or span.field in CREATORS:
        cost = _NAME
    else:
        cost = _FIELD + _CLASS * min(math.log10(mention.rows), 3.0)
    cost += _FAR * math.log(mention.likeness) + 0.6 * (mention.weight / most if most else 0.0) - 0.6
    if all(is_filler(tokens, at) or tokens[at] in names for at in range(first, end)):
        # "play" and "songs" are names too, but seldom meant so.
        cost += 0.0 if size == len(tokens) else -3.0 / size
    if size == len(tokens):
        cost += 1.0
    if first and tokens[first - 1] in CREATED_BY and span.field in CREATORS:
        cost += 1.0
    around = {
        names.get(token) for token in (*tokens[max(first - 1, 0) : first], *tokens[end : end + 1])
    }
    return cost + (0.6 if span.field in around else 0.0)


def _excluded(span: Span) -> Span:
    return span if span.field == ORDER else replace(span, field=NOT + span.field)


def _search(
    tokens: Sequence[str],
    offers: Mapping[int, Sequence[tuple[int, Span, float]]],
    types: set[str],
) -> list[tuple[float, tuple[Span, ...]]]:
    """The best (score, spans) over all tokens, by a beam from left to right."""
    beams: list[list[tuple[float, tuple[Span, ...]]]] = [[] for _ in range(len(tokens) + 1)]
    beams[0].append((0.0, ()))
    for at in range(len(tokens)):
        beam = sorted(beams[at], key=lambda one: -one[0])[:BEAM]
        skipped = _FILLER if is_filler(tokens, at) else _UNREAD
        for score, spans in beam:
            beams[at + 1].append((score + skipped, spans))
            for end, span, cost in offers.get(at, ()):
                if _fits(span, spans):
                    twice = span.field in types and any(s.field == span.field for s in spans)
                    beams[end].append((score + cost + _TWICE * twice, (*spans, span)))
    return sorted(beams[-1], key=lambda one: -one[0])[:BEAM]


def _fits(span: Span, spans: Sequence[Span]) -> bool:
    """One order, one kind and one span of years a reading."""
    return span.field not in (KIND, ORDER, YEAR) or all(s.field != span.field for s in spans)


def _weighed(
    best: Sequence[tuple[float, tuple[Span, ...]]],
    where: Sequence[Place],
    agrees: Callable[[tuple[Span, ...]], bool],
) -> tuple[Reading, ...]:
    shares: dict[frozenset[tuple[str, str]], float] = defaultdict(float)
    first: dict[frozenset[tuple[str, str]], tuple[Span, ...]] = {}
    for score, spans in best:
        meant = frozenset((span.field, span.value) for span in spans)
        shares[meant] += math.exp(score - best[0][0])
        first.setdefault(meant, spans)
    for meant, spans in first.items():
        if shares[meant] >= LEAST / 2 and not agrees(spans):
            shares[meant] *= APART
    shares.setdefault(frozenset(), math.exp(_UNREAD * len(where) - best[0][0]))
    whole = sum(shares.values())
    given = [
        Reading(spans, shares[meant] / whole)
        for meant, spans in first.items()
        if any(span.field != WORD for span in spans) and shares[meant] >= LEAST * whole
    ]
    return tuple(sorted(given, key=lambda reading: -reading.probability)[:MOST])
