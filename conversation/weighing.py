"""Which of several rewrites to give, and what it would bring.

Beam search finds the likeliest rewrite, which is often too short: each word left out is one less to be unsure of.
Rewrites are therefore weighed by the words that they add to the query (Goel & Byrne 2000, "Minimum Bayes-risk
automatic speech recognition"): those expected right, less a share of those added.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from conversation.rewrite_tokens import keys, same

PRICE = 0.45
"""What adding a word costs. Half of the F1 that rewrites reach would make it the largest (Lipton, Elkan &
Naryanaswamy 2014); a little more costs it little, and leaves more rewrites as people write them."""
LEAST, MOST = 0.05, 12.0
"""Bounds of the number of words that a rewrite brings."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A rewrite, and how many words that it adds are expected to be right."""

    text: str
    brings: float

    @property
    def log_odds(self) -> float:
        """What it adds to the log-odds that a query needs a rewrite: changing a query in vain costs the same
        however many words are added, a rewrite is worth as much as it brings."""
        return math.log(min(max(self.brings, LEAST), MOST))


MOST_LOG_ODDS = math.log(MOST)


def weigh(query: str, found: Sequence[tuple[float, str]]) -> Weighed | None:
    """The best of rewrites with their probabilities; None where none changes the query's words."""
    said = Counter(keys(query))
    made = [
        (chance, text, Counter(keys(text)) - said)
        for chance, text in found
        if text and not same(text, query)
    ]
    if not made:
        return None
    total = sum(chance for chance, _, _ in made)

    def brings(added: Counter[str]) -> float:
        return sum(chance * (added & other).total() for chance, _, other in made) / total

    weighed = [(brings(added), added.total(), text) for _, text, added in made]
    right, _, text = max(weighed, key=lambda one: one[0] - PRICE * one[1])
    return Weighed(text, right)
