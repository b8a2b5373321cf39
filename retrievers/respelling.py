"""A query as the catalogue spells what it names."""

from __future__ import annotations

from typing import Final

from retrievers.base import Query
from retrievers.query_words import KIND, NOT, ORDER, WORD, YEAR

PROBABLE: Final = 0.3
"""From what probability on a reading is believed to tell how words are meant."""
_NO_VALUES = frozenset({WORD, KIND, YEAR, ORDER})


def respelt(query: Query) -> str:
    """The text with the names and values of its best reading as the catalogue spells them: "alternativee
    rocl" as "alternative rock". As it is where no reading is probable."""
    best = query.readings[0] if query.readings else None
    if best is None or best.probability < PROBABLE:
        return query.text
    parts, end = [], 0
    for span in sorted(best.spans, key=lambda span: span.start):
        if span.field in _NO_VALUES or span.field.startswith(NOT) or span.start < end:
            continue
        parts += [query.text[end : span.start], span.value]
        end = span.end
    return "".join([*parts, query.text[end:]])
