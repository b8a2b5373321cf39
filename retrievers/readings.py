"""Ways to understand a query, by rules: which of its words name what, and how probable that is.

A reading takes every token as part of a span or as of no meaning; its score adds up what each costs.
Readings compete with each other and with none, by the softmax of their scores.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrievers.base import Heard, Labelled, Mention, Reading, Span
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
from retrievers.tokens import Place
from retrievers.value_table import key_of

RULED = (KIND, ORDER, YEAR)
CREATORS = frozenset({"artist", "author", "brand", "composer", "creator", "director"})
"""Fields of whoever something is by."""
BEAM, MOST = 24, 6
"""Readings carried on from word to word, and those given at most."""
LEAST = 0.02
"""The probability of a reading that is still given."""
APART = 0.15
"""How much less probable a reading is whose names and values no document has together."""
_FILLER, _WORD, _UNREAD = -0.1, -2.2, -4.0
"""What a word costs that stands for nothing, of fillers; one that may be a word of a name; and others."""
_NAME, _FIELD, _RULE = -0.4, -1.2, -0.3
"""What a span costs: of a document's own kind of name, of another field's value, of a rule's."""
_CLASS = 0.4
"""How much less the value of a field costs, by the log (base 10, at most 3) of the rows that have it."""
_TWICE = -1.0
"""What a second name of one kind costs."""
_ALONE = -1.5
"""What an order costs beside the name of a single document, which has none."""
_UNWANTED = -1.0
"""What excluding a document's name costs: versions and genres are excluded more often."""
_LEARNT, _RUIN = 0.9, -6.0
"""How much a tagger's log probabilities count where there are any, and the least of them."""
_OTHER = -2.5
"""What it costs to read what it takes for a field's value as a field it does not know, or a word."""
_FAR, _FAR_PERSON = 4.0, 2.0
"""How much a name costs the less alike it is, by the log of its likeness; the second is for whoever
something is by, since people are called by a part of their names."""


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """What readings need to know of a catalogue: `kinds`, words for its types; `most`, the highest weight
    of a mention; `knows`, whether some name has a word; `agrees`, whether some document is as all
    spans say."""

    kinds: Mapping[str, str]
    most: float
    knows: Callable[[str], bool]
    agrees: Callable[[tuple[Span, ...]], bool]


def rule_mentions(
    text: str, where: Sequence[Place], kinds_of: Mapping[str, str]
) -> Iterator[Mention]:
    """Words for years, orders and kinds."""
    for span in (*years(text, where), *orders(text, where), *kinds(text, where, kinds_of)):
        yield Mention(span, 1.0, 0.0, 1, True)


def readings(
    heard: Heard, lexicon: Lexicon, labelled: Labelled | None = None
) -> tuple[Reading, ...]:
    """The likeliest readings, best first; probabilities are at most 1 in sum.

    `labelled`: what a tagger says of the tokens, to go half by it.
    """
    text, where = heard.text, heard.places
    if not where:
        return ()
    prices = _Prices(heard, lexicon, labelled)
    offers: dict[int, list[tuple[int, Span, float]]] = defaultdict(list)
    for mention in heard.mentions:
        first, end = prices.at.get(mention.span.start), prices.ends.get(mention.span.end)
        if first is not None and end is not None:
            offers[first].append((end, mention.span, prices.of(mention, first, end)))
    for token, (start, end) in enumerate(where):
        word = key_of(text[start:end])
        known = prices.tokens[token] in lexicon.kinds or is_filler(prices.tokens, token)
        if not known and lexicon.knows(word):
            offers[token].append((token + 1, Span(start, end, WORD, word), prices.word(token)))
    for first, given in offers.items():
        if is_excluded(text, where, first):
            offers[first] = [
                (end, _excluded(span), cost + (_UNWANTED if span.field in prices.types else 0.0))
                for end, span, cost in given
            ]
    return _weighed(_search(offers, prices), where, lexicon.agrees)


class _Prices:
    """What it costs to read tokens in some way."""

    def __init__(self, heard: Heard, lexicon: Lexicon, labelled: Labelled | None) -> None:
        where = heard.places
        self.tokens = [heard.text[start:end].casefold() for start, end in where]
        self.at = {start: token for token, (start, _) in enumerate(where)}
        self.ends = {end: token + 1 for token, (_, end) in enumerate(where)}
        self.types = set(lexicon.kinds.values())
        self.single = self.types - CREATORS
        self._lexicon, self._labelled = lexicon, labelled
        self._fields = {} if labelled is None else {f: n for n, f in enumerate(labelled.fields)}
        self._outside = [0.0] if labelled is None else np.maximum(labelled.outside, _RUIN).tolist()
        # Words for years, orders and kinds mean these however unlike a sentence is to those a tagger
        # was taught with: it may say so more surely, but not otherwise.
        self._ruled = {
            token
            for mention in heard.mentions
            if labelled is not None and _is_rule(mention)
            for token, (start, end) in enumerate(where)
            if mention.span.start <= start and end <= mention.span.end
        }

    def skipped(self, token: int) -> float:
        """A token that is no part of a span."""
        rule = _FILLER if is_filler(self.tokens, token) else _UNREAD
        if self._labelled is None:
            return rule
        both = _mixed(rule, self._outside[token])
        return min(rule, both) if token in self._ruled else both

    def word(self, token: int) -> float:
        """A token that is a word of some name."""
        if self._labelled is None:
            return _WORD
        return _mixed(_WORD, self._inside(token) + _OTHER)

    def _inside(self, token: int) -> float:
        """How probable the tagger has it that a token is of some field, by its log."""
        return math.log(max(1.0 - math.exp(self._outside[token]), math.exp(_RUIN)))

    def of(self, mention: Mention, first: int, end: int) -> float:
        """A mention: the fuller, the more alike and the better known, the less."""
        field, tokens, kinds_of = mention.span.field, self.tokens, self._lexicon.kinds
        most = self._lexicon.most
        known = 0.6 * (mention.weight / most if most else 0.0) - 0.6
        far = (_FAR_PERSON if field in CREATORS else _FAR) * math.log(mention.likeness)
        if _is_rule(mention):
            cost, known = _RULE, 0.0
        elif field in self.types or field in CREATORS:
            cost = _NAME
        else:
            cost = _FIELD + _CLASS * min(math.log10(mention.rows), 3.0)
        if known and all(is_filler(tokens, t) or tokens[t] in kinds_of for t in range(first, end)):
            # "play" and "songs" are names too, but seldom meant so.
            cost += 0.0 if end - first == len(tokens) else -3.0 / (end - first)
        if end - first == len(tokens):
            cost += 1.0
        if first and tokens[first - 1] in CREATED_BY and field in CREATORS:
            cost += 1.0
        around = (*tokens[max(first - 1, 0) : first], *tokens[end : end + 1])
        if known and field in {kinds_of.get(token) for token in around}:
            cost += 0.6
        if self._labelled is not None:
            number = self._fields.get(field)
            if number is None:
                learnt = sum(map(self._inside, range(first, end))) + _OTHER
            else:
                learnt = float(self._labelled.begins[first, number])
                learnt += float(self._labelled.goes_on[first + 1 : end, number].sum())
            both = _mixed(cost, max(learnt, (end - first) * _RUIN))
            cost = max(cost, both) if _is_rule(mention) else both
        return cost + far + known


def _is_rule(mention: Mention) -> bool:
    """Whether it comes from a word for years, an order or a kind, not from the catalogue."""
    return mention.span.field in RULED and mention.likeness == 1.0 and not mention.weight


def _mixed(rule: float, learnt: float) -> float:
    return (1.0 - _LEARNT) * rule + _LEARNT * learnt


def _excluded(span: Span) -> Span:
    return span if span.field == ORDER else replace(span, field=NOT + span.field)


def _search(
    offers: Mapping[int, Sequence[tuple[int, Span, float]]], prices: _Prices
) -> list[tuple[float, tuple[Span, ...]]]:
    """The best (score, spans) over all tokens, by a beam from left to right."""
    size = len(prices.tokens)
    beams: list[list[tuple[float, tuple[Span, ...]]]] = [[] for _ in range(size + 1)]
    beams[0].append((0.0, ()))
    for at in range(size):
        beam = sorted(beams[at], key=lambda one: -one[0])[:BEAM]
        skipped = prices.skipped(at)
        for score, spans in beam:
            beams[at + 1].append((score + skipped, spans))
            for end, span, cost in offers.get(at, ()):
                if _fits(span, spans):
                    beside = _TWICE * _is_twice(span, spans, prices) + _ALONE * _is_alone(
                        span, spans, prices
                    )
                    beams[end].append((score + cost + beside, (*spans, span)))
    return sorted(beams[-1], key=lambda one: -one[0])[:BEAM]


def _is_twice(span: Span, spans: Sequence[Span], prices: _Prices) -> bool:
    """Whether a second name of one kind comes to the others."""
    return span.field in prices.types and any(s.field == span.field for s in spans)


def _is_alone(span: Span, spans: Sequence[Span], prices: _Prices) -> bool:
    """Whether an order and the name of a single document come together."""
    if span.field == ORDER:
        return any(s.field in prices.single for s in spans)
    return span.field in prices.single and any(s.field == ORDER for s in spans)


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
