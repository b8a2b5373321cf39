"""The conditions that a reading sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.base import BoolMask, Span
from retrievers.query_words import KIND, NOT, ORDER, RANGE, YEAR, between


@dataclass(frozen=True, slots=True)
class Asked:
    """The conditions of a reading: names and values wanted and not, an order ("": none is asked for),
    and as in `structured_scores.collect` a kind and years."""

    wanted: tuple[Span, ...]
    unwanted: tuple[Span, ...]
    order: str
    kind: int
    low: float
    high: float

    @classmethod
    def of(cls, spans: Sequence[Span], types: tuple[str, ...]) -> Self:
        """What the spans of a reading say, for documents of these types."""
        wanted: list[Span] = []
        unwanted: list[Span] = []
        order, kind, low, high = "", -1, math.nan, math.nan
        for span in spans:
            field = span.field.removeprefix(NOT)
            if field == ORDER:
                order = span.value
            elif field == KIND and span.value in types:
                code = types.index(span.value)
                kind = code if field == span.field else -2 - code
            elif field == YEAR and RANGE in span.value:
                if field == span.field:
                    low, high = between(span.value)
            else:
                (wanted if field == span.field else unwanted).append(span)
        return cls(tuple(wanted), tuple(unwanted), order, kind, low, high)

    def met(self, types: NDArray[np.int16], years: NDArray[np.float32]) -> BoolMask:
        """Which of some rows, of `types` and `years` (n,), are of the kind and of the years, (n,)."""
        found: BoolMask = np.ones(types.size, np.bool_)
        if self.kind != -1:
            found &= (types == self.kind) if self.kind >= 0 else (types != -2 - self.kind)
        if not math.isnan(self.low):
            found &= (years >= self.low) & (years < self.high)
        return found
