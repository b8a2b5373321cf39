"""Other budgets priced while an index learns at its own: what else it would have drawn, and at what price.

Where no ranker learns from what was drawn, all that a log of others teaches is the same at any budget but for the
price of a candidate. So one walk through a history tells of a whole curve of budgets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from engine.building import first_price
from engine.config import EngineConfig
from engine.response import Priced
from engine.state import State


def priced_as(state: State, priced: Priced) -> State:
    """A state as it would be at another budget."""
    return replace(
        state, price=priced.price, bar=priced.bar, expected=priced.expected, drift=priced.drift
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """One budget beside that of an index. Never changed."""

    config: EngineConfig
    priced: Priced

    @classmethod
    def of(cls, state: State, config: EngineConfig, priced: Priced) -> Self:
        """As it was left, or before anything is learnt."""
        config = replace(config, budget=priced.budget)
        if math.isnan(priced.price):
            priced = replace(priced, price=first_price(state, config))
        return cls(config, priced)

    def on(self, state: State) -> State:
        """A state as it would be at this budget."""
        return priced_as(state, self.priced)

    def at(self, state: State) -> Self:
        """Priced as a state is."""
        priced = replace(
            self.priced,
            price=state.price,
            bar=state.bar,
            expected=state.expected,
            drift=state.drift,
        )
        return replace(self, priced=priced)
