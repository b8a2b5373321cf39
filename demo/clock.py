"""The listeners' week: when they search, for what, and which moods and genres suit the hour.

| part | when | searches an hour, beside the week's mean | suits |
|---|---|---|---|
| workday morning | Monday to Friday, 6 to 12 | 0.9 | energetic, uplifting, focus |
| workday afternoon | Monday to Friday, 12 to 18 | 1.2 | focus, energetic, happy |
| evening | Sunday to Thursday, 18 to 23 | 1.6 | romantic, melancholic, nostalgic; jazz, singer-songwriter |
| weekend morning | Saturday and Sunday, 6 to 12 | 0.8 | calm, happy, nostalgic; jazz, classical, folk |
| weekend afternoon | Saturday and Sunday, 12 to 18 | 1.2 | happy, uplifting, energetic |
| party | Friday and Saturday from 18, until 3 | 1.8 | party; dance-pop, house, hip hop, disco, electronic |
| night | else | 0.3 | calm, dreamy, dark; ambient, modern classical |

The column of rates is brought to a mean of 1. Times are UTC, the listeners' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from demo.rates import INTENTS, MINUTES


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the week: `rate` of searches an hour, what suits it, and how much more (above 1) or
    less each intent is its own than other parts'; 1 where none is given."""

    name: str
    rate: float
    suits: frozenset[str]
    leaning: Mapping[str, float]


PARTS = (
    Part(
        "workday morning", 0.9, frozenset({"energetic", "uplifting", "focus"}),
        {"again": 1.6, "new": 0.6, "topic": 0.8},
    ),
    Part("workday afternoon", 1.2, frozenset({"focus", "energetic", "happy"}), {"topic": 1.1}),
    Part(
        "evening", 1.6,
        frozenset({"romantic", "melancholic", "nostalgic", "jazz", "singer-songwriter"}),
        {"artist": 1.2, "new": 1.2, "again": 0.9},
    ),
    Part(
        "weekend morning", 0.8,
        frozenset({"calm", "happy", "nostalgic", "jazz", "classical", "folk"}),
        {"new": 1.4, "again": 1.2},
    ),
    Part("weekend afternoon", 1.2, frozenset({"happy", "uplifting", "energetic"}), {"artist": 1.1}),
    Part(
        "party", 1.8, frozenset({"party", "dance-pop", "house", "hip hop", "disco", "electronic"}),
        {"topic": 1.7, "again": 0.7},
    ),
    Part(
        "night", 0.3, frozenset({"calm", "dreamy", "dark", "ambient", "modern classical"}),
        {"topic": 1.3, "new": 1.2},
    ),
)  # fmt: skip


def _part(hour: int) -> int:
    """The part of an hour of the week, 0 to 167, counted from Monday at midnight."""
    day, hour = divmod(hour, 24)
    if hour >= 18:
        if day in (4, 5):
            return 5
        return 2 if hour < 23 else 6
    if hour < 6:
        return 5 if hour < 3 and day in (5, 6) else 6
    return (0 if hour < 12 else 1) if day < 5 else (3 if hour < 12 else 4)


_PART_OF = np.array([_part(hour) for hour in range(168)])
_RATES = np.array([part.rate for part in PARTS])[_PART_OF]
_RATES = _RATES / _RATES.mean()


def _shares() -> NDArray[np.float64]:
    """Shape (parts, intents): of each part's searches, such that a week's are shared out as in
    `INTENTS`. Leanings are fitted to both margins in turn (Deming & Stephan, 1940)."""
    intents = np.array(list(INTENTS.values()))
    table = np.array([[part.leaning.get(i, 1.0) for i in INTENTS] for part in PARTS]) * intents
    size = np.bincount(_PART_OF, _RATES, len(PARTS)) / _RATES.sum()
    for _ in range(50):
        table *= intents / table.sum(axis=0)
        table *= (size / table.sum(axis=1))[:, None]
    shares: NDArray[np.float64] = table / table.sum(axis=1, keepdims=True)
    return shares


_SHARES = _shares()


def _hour(time: datetime) -> int:
    return time.weekday() * 24 + time.hour


def part_of(time: datetime) -> Part:
    """The part of the week."""
    return PARTS[int(_PART_OF[_hour(time)])]


def intents_at(time: datetime) -> NDArray[np.float64]:
    """Shape (intents,): shares of a moment's searches, in the order of `INTENTS`."""
    shares: NDArray[np.float64] = _SHARES[_PART_OF[_hour(time)]]
    return shares


def next_search(time: datetime, rng: np.random.Generator) -> datetime:
    """When somebody searches after `time`: a Poisson process with the week's rates."""
    due = float(rng.exponential(MINUTES))
    while True:
        end = time.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        minutes = (end - time).total_seconds() / 60.0
        rate = float(_RATES[_hour(time)])
        if due <= minutes * rate:
            return time + timedelta(minutes=due / rate)
        due -= minutes * rate
        time = end
