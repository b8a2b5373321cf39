"""What a user's own items have in common: a profile over the values of the catalogue's fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from retrievers.base import Docs, Scores
from retrievers.content import Content
from retrievers.history import UserHistory

PRIOR: Final = 5.0
"""How many items of the catalogue, drawn at random, a user is taken to have liked beforehand."""
LOOKED_AT: Final = 4000
"""Rows among which those of a user's taste are sought, of the rarest values first."""


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """How much more than the catalogue a user leans to each value of `content`.

    `values` (u,): those of the own items, ascending; `leanings` (v,): log(1 + n / (a p)) of each value, where n
    is how strongly the user's own items with it are the user's, 0 of others, p the share of the
    catalogue that has it and a `PRIOR`: for one listener the artist of ten tracks means much, the language of
    most tracks little. A content-based profile (Pazzani & Billsus 2007), its weights pointwise mutual
    information with a prior.
    """

    content: Content
    values: Docs
    leanings: Scores

    @classmethod
    def of(cls, content: Content, history: UserHistory) -> Self:
        """Of a user's own items."""
        found, sizes = content.values_of(history.docs)
        values, where = np.unique(found, return_inverse=True)
        strength = np.bincount(where, np.repeat(history.strength(), sizes), values.size)
        share = content.sizes[values] / max(content.count, 1)
        leanings = np.zeros(content.sizes.size, np.float32)
        leanings[values] = np.log1p(strength / (PRIOR * share))
        return cls(content, values, leanings)

    def towards(self, docs: Docs) -> Scores:
        """Shape (n,): of each row, the strongest leaning to a value of a field, summed over the fields."""
        return self.content.strongest(docs, self.leanings)

    def likely(self) -> Docs:
        """Rows with one of the values, ascending; where they are many, those with rare ones."""
        return self.content.having(self.values, LOOKED_AT)
