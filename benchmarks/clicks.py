"""Click models: from what was shown and what is wanted to what is clicked.

Each is an object with one method, `clicks(attraction, rng)`. Attraction is the probability, in
[0, 1], that an item is clicked by somebody who looks at it and sees no more than it; its last axis
goes down the page, best position first, and any axes before it are independent pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class ClickModel(Protocol):
    """How people go through a page."""

    def clicks(self, attraction: Floats, rng: np.random.Generator) -> Flags:
        """Shape (…, n), as `attraction`: which items are clicked."""


@dataclass(frozen=True, slots=True)
class PositionBased:
    """Position-based model (Craswell et al., WSDM 2008): a position is examined or not whatever
    stands there, and an examined item is clicked as attractive as it is.

    Examination of position p (from 1) is p ** -`severity`.
    """

    severity: float = 1.0

    def examination(self, positions: int) -> Floats:
        """Shape (positions,): the probability that each is looked at."""
        return np.arange(1, positions + 1, dtype=np.float64) ** -self.severity

    def clicks(self, attraction: Floats, rng: np.random.Generator) -> Flags:
        """Shape (…, n): clicked where examined and attractive."""
        looked_at = rng.random(attraction.shape) < self.examination(attraction.shape[-1])
        clicked: Flags = looked_at & (rng.random(attraction.shape) < attraction)
        return clicked


@dataclass(frozen=True, slots=True)
class Cascade:
    """Cascade model (Craswell et al., WSDM 2008): from the top down, until the first click."""

    def clicks(self, attraction: Floats, rng: np.random.Generator) -> Flags:
        """Shape (…, n): at most one click a page, on the first item that attracts."""
        attracted = rng.random(attraction.shape) < attraction
        clicked: Flags = attracted & (np.cumsum(attracted, axis=-1) == 1)
        return clicked


@dataclass(frozen=True, slots=True)
class DynamicBayesian:
    """Dynamic Bayesian network (Chapelle & Zhang, WWW 2009): from the top down; a click may satisfy,
    which ends the search, and whoever is not satisfied goes on with probability `continuation`.

    The paper gives every item a satisfaction of its own; here it is `satisfaction` times the item's
    attraction, so that what was clicked by mistake seldom satisfies. `continuation` 1 is the
    paper's simplified model.
    """

    satisfaction: float = 0.7
    continuation: float = 0.9

    def clicks(self, attraction: Floats, rng: np.random.Generator) -> Flags:
        """Shape (…, n): any number of clicks a page."""
        attracted = rng.random(attraction.shape) < attraction
        satisfied = rng.random(attraction.shape) < self.satisfaction * attraction
        patient = rng.random(attraction.shape) < self.continuation
        goes_on = ~(attracted & satisfied) & patient
        examined = np.ones(attraction.shape, np.bool_)
        examined[..., 1:] = np.logical_and.accumulate(goes_on[..., :-1], axis=-1)
        return examined & attracted


@dataclass(frozen=True, slots=True)
class TrustBias:
    """Trust bias (Agarwal et al., WWW 2019): people examine by position, and being high up makes an
    item look relevant.

    An examined item at position p is clicked with probability ε⁺ₚ where it is relevant and ε⁻ₚ where
    not; attraction is the probability of being relevant. ε⁺ₚ = 1 - (min(p, 20) + 1) / 100 and
    ε⁻ₚ = `trust` / min(p, 10) are those of Vardasbi et al. (CIKM 2021, equations 10 and 11).
    """

    severity: float = 1.0
    trust: float = 0.65

    def clicks(self, attraction: Floats, rng: np.random.Generator) -> Flags:
        """Shape (…, n): clicked where examined and relevant, or taken to be."""
        p = np.arange(1, attraction.shape[-1] + 1)
        relevant = rng.random(attraction.shape) < attraction
        chance = np.where(
            relevant, 1.0 - (np.minimum(p, 20) + 1) / 100, self.trust / np.minimum(p, 10)
        )
        clicked: Flags = rng.random(attraction.shape) < chance * p**-self.severity
        return clicked


MODELS: Mapping[str, Callable[[], ClickModel]] = {
    "pbm": PositionBased,
    "cascade": Cascade,
    "dbn": DynamicBayesian,
    "trust": TrustBias,
}


def click_model(name: str) -> ClickModel:
    """A model by its name in `MODELS`, with its default settings."""
    if name not in MODELS:
        raise ValueError(f"click model: found {name!r}, expected one of {', '.join(MODELS)}")
    return MODELS[name]()


def attraction(grades: ArrayLike, *, highest: int, noise: float = 0.1) -> Floats:
    """Attraction of items by grade, from `noise` at grade 0 to 1 at the `highest`.

    noise + (1 - noise) (2^grade - 1) / (2^highest - 1), the gain of Chapelle et al. (CIKM 2009)
    with the click noise usual in unbiased learning to rank. Grades below 0 count as 0.
    """
    if highest < 1:
        raise ValueError(f"highest: found {highest}, expected a grade of at least 1")
    if not 0.0 <= noise <= 1.0:
        raise ValueError(f"noise: found {noise}, expected a probability")
    found = np.asarray(grades, np.float64)
    if found.size and found.max() > highest:
        raise ValueError(f"grades: found {found.max():g}, expected at most highest, {highest}")
    gain = np.exp2(np.maximum(found, 0.0)) - 1.0
    wanted: Floats = noise + (1.0 - noise) * gain / (2.0**highest - 1.0)
    return wanted
