"""Whole metadata values as terms of their own: "post rock" is more than "post" and "rock"."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 4
"""Words of the longest value that is a term of its own."""


def value_term(tokens: Sequence[str]) -> str | None:
    """The term of a metadata value of two to `LONGEST` words; it holds spaces, as no token does."""
    return " ".join(tokens) if 2 <= len(tokens) <= LONGEST else None


def value_terms(tokens: Sequence[str]) -> list[str]:
    """Every run of two to `LONGEST` words of a query: the values it may name."""
    return [
        " ".join(tokens[start : start + size])
        for size in range(2, LONGEST + 1)
        for start in range(len(tokens) - size + 1)
    ]
