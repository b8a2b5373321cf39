"""What somebody did, as the personal generators read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrievers.base import Outcome
from retrievers.near_queries import query_key
from retrievers.respelling import respelt


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """An outcome; its order makes sums independent of the order given. `key`: the query, "" outside a
    search; `known`: whether there is a user; `text`: the query as it is spelt in the catalogue."""

    time: float
    user: str
    key: str
    doc: int
    weight: float
    known: bool
    text: str


def deed_of(outcome: Outcome, rows: int) -> Deed:
    """ValueError where the outcome's row isn't below `rows` or its weight isn't finite."""
    if not 0 <= outcome.doc < rows or not np.isfinite(outcome.weight):
        raise ValueError(
            f"Personal.observe: found row {outcome.doc} with weight {outcome.weight}, expected "
            f"a row below {rows} and a finite weight; were its documents added?"
        )
    return Deed(
        outcome.time,
        outcome.user or "",
        query_key(outcome.query.text) if outcome.query else "",
        outcome.doc,
        float(outcome.weight),
        outcome.user is not None,
        respelt(outcome.query) if outcome.query else "",
    )
