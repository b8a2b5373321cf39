"""The price of a candidate at which the mean number of candidates meets the budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

STEP: Final = 16.0
"""Factor by which the bracket around the start widens."""
WIDENINGS: Final = 8
CALLS: Final = 20
"""Most evaluations of `mean_candidates` in one `tune`."""


def tune(mean_candidates: Callable[[float], float], budget: float, start: float) -> float:
    """The lowest price found at which `mean_candidates` does not exceed `budget`.

    `mean_candidates(price)` falls with the price, in steps and perhaps with noise; it is called at
    most 20 times: at 0, outwards from `start` until the budget is bracketed, then by bisection in
    log price. 0 where even a free candidate leaves the mean within the budget. Where the mean
    stays above the budget at every price tried (exploration alone costs more), the highest price
    tried, at which nothing but exploration is drawn.
    """
    if not budget >= 0.0:
        raise ValueError(f"budget: found {budget}, expected a mean number of candidates ≥ 0")
    if not 0.0 <= start < float("inf"):
        raise ValueError(f"start: found {start}, expected a finite price ≥ 0")
    if mean_candidates(0.0) <= budget:
        return 0.0
    price = start if start > 0.0 else 1e-3
    calls = 2
    within = mean_candidates(price) <= budget
    low = high = price
    for _ in range(WIDENINGS):
        other = high / STEP if within else low * STEP
        calls += 1
        if (mean_candidates(other) <= budget) != within:
            low, high = min(other, price), max(other, price)
            break
        low = high = price = other
    else:
        return price
    while calls < CALLS:
        middle = (low * high) ** 0.5
        calls += 1
        if mean_candidates(middle) <= budget:
            high = middle
        else:
            low = middle
    return high
