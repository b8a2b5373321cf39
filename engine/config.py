"""Every setting of an engine, with its default."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, Literal

from engine.errors import BadInput

GENERATORS = (
    "bm25", "fuzzy", "dense", "structured", "memory", "personal", "discovery", "popular",
)  # fmt: skip
CORRECTIONS = ("lightgbm", "none", "ips", "doubly_robust")
"""Ways to train a ranker on clicks that follow position; see `engine.correcting`."""
DIVERSITIES = ("off", "mmr", "xquad", "pm2")
"""Ways to make a page for an ambiguous query; see `rankers.diversity`."""
REWARDS: Mapping[str, float] = {
    "click": 1.0,
    "play": 1.0,
    "listen": 1.0,
    "purchase": 1.0,
    "like": 1.0,
    "add": 1.0,
    "skip": -0.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Settings of a `SearchEngine`; saved with it.

    `budget`: the mean number of distinct candidates a search may send to the ranker, exploration
    included. `ladder`: the depths a generator can be asked for, from 0. `rewards`: what an action
    is worth; one that is missing here is kept in the log and teaches nothing. `chunk`: how finely
    `learn` walks through time. `hindsight`: the latest searches of a chunk, clicked or not, that all
    generators are asked for in full, to learn how much they return and share and what a candidate
    costs; at least 1. `ranker_window`: the latest clicked impressions a ranker is trained on, and of as many before them
    those of queries that were new then; 0: none is trained, and fusion ranks on. `correction`: how its training takes account of position, one of
    `CORRECTIONS` or "chosen" (by held-out clicks, at several times the time). `surface`: the attributes
    of a context that tell what kind of page it was shown on; each kind that is seen often has a position
    bias of its own. `examination`: for those who know it, how often each position is looked at as a share
    of the first, by kind of page (the attributes' values, joined by "/"; "" for all together); what is
    not given is learnt. `rest_sample`: candidates
    that were not shown whose features are logged. `least`: candidates that a search is topped up to,
    generator by generator, where its plan brought fewer; None: a quarter of the budget, at most 10, so
    that a small budget can still be spent where it is needed.
    `drawn`: the mean number of distinct documents that plans may draw, where that is more than the budget: what is
    least probably wanted is dropped before the ranker (see `engine.pruning`); 0: all that is drawn reaches it.
    `foresight`: whether trees over all that is known of a query tell the policy what each rung may bring
    (see `engine.foresight`), unless its plans heed nothing; `learn` takes longer.
    `exploration`: how much of a page's examination swaps of its items may cost in the mean, as a share
    of the whole, so that the log tells what position does and what was never shown; 0: pages are as
    ranked. `diversity`: how the first page of an ambiguous query serves all that may be meant, one of
    `DIVERSITIES`, "off": not; it waits for a learnt ranker and spares people with a history, who
    have said what they mean. `rewrite_above`: how sure the conversation's model must be of a query it
    rewrote, in [0, 1], for that to be searched; 0: whenever it rewrote one; above 1: never.
    `search_ms`: time after which no further generator is asked (None: no limit). `clock`: POSIX
    seconds; not saved.
    """

    seed: int = 0
    generators: tuple[str, ...] = GENERATORS
    ladder: tuple[int, ...] = (0, 3, 5, 10, 20, 35, 50, 100)
    budget: float = 80.0
    policy: str = "linucb"
    policy_options: Mapping[str, Any] = field(default_factory=dict)
    generator_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ranker_options: Mapping[str, float] = field(default_factory=dict)
    rewards: Mapping[str, float] = field(default_factory=lambda: dict(REWARDS))
    chunk: Literal["day", "week", "month"] = "month"
    hindsight: int = 250
    ranker_window: int = 20_000
    correction: str = CORRECTIONS[0]
    surface: tuple[str, ...] = ("surface", "device")
    examination: Mapping[str, Sequence[float]] = field(default_factory=dict)
    rest_sample: int = 20
    drawn: float = 40.0
    foresight: bool = True
    max_query_chars: int = 1_000
    max_k: int = 10_000
    least: int | None = None
    exploration: float = 0.0
    diversity: str = "xquad"
    rewrite_above: float = 0.5
    search_ms: float | None = None
    durability: Literal["normal", "full"] = "normal"
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        ladder = self.ladder
        if len(ladder) < 2 or ladder[0] != 0 or any(a >= b for a, b in pairwise(ladder)):
            raise BadInput(
                f"EngineConfig.ladder: found {ladder}; expected ascending depths that start with 0, "
                "such as (0, 3, 10, 50)"
            )
        if not self.budget > 0:
            raise BadInput(f"EngineConfig.budget: found {self.budget}; expected a number above 0")
        if not self.drawn >= 0:
            raise BadInput(
                f"EngineConfig.drawn: found {self.drawn}; expected a number of at least 0"
            )
        if not self.generators or len(set(self.generators)) != len(self.generators):
            raise BadInput(
                f"EngineConfig.generators: found {self.generators}; expected distinct names, at "
                f"least one of {', '.join(GENERATORS)} or of your own"
            )
        if self.chunk not in ("day", "week", "month"):
            raise BadInput(f"EngineConfig.chunk: found {self.chunk!r}; expected day, week or month")
        for name, number, bound in (
            ("hindsight", self.hindsight, 1),
            ("ranker_window", self.ranker_window, 0),
        ):
            if number < bound:
                raise BadInput(
                    f"EngineConfig.{name}: found {number}, expected a number of at least {bound}"
                )
        if self.correction not in (*CORRECTIONS, "chosen"):
            raise BadInput(
                f"EngineConfig.correction: found {self.correction!r}, expected one of "
                f"{', '.join(CORRECTIONS)} or chosen"
            )
        if not 0.0 <= self.exploration <= 1.0:
            raise BadInput(
                f"EngineConfig.exploration: found {self.exploration}, expected a share between 0 (off) "
                "and 1, such as 0.01"
            )
        for name, curve in self.examination.items():
            if not curve or curve[0] != 1.0 or not all(0.0 < share < math.inf for share in curve):
                raise BadInput(
                    f"EngineConfig.examination[{name!r}]: found {list(curve)}, expected one number above 0 "
                    "a position, the first of them 1; divide a curve by its first value"
                )
        if self.diversity not in DIVERSITIES:
            raise BadInput(
                f"EngineConfig.diversity: found {self.diversity!r}, expected one of "
                f"{', '.join(DIVERSITIES)}"
            )
        positive = [a for a, w in self.rewards.items() if a == "skip" and w > 0]
        if positive:
            raise BadInput(
                f"EngineConfig.rewards['skip']: found {self.rewards['skip']}; a skip is worth ≤ 0"
            )

    @property
    def at_least(self) -> int:
        """Candidates that a search is topped up to."""
        return min(10, math.ceil(self.budget / 4)) if self.least is None else self.least

    @property
    def prunes(self) -> bool:
        """Whether plans may draw more than reaches the ranker."""
        return self.drawn > self.budget

    def to_json(self) -> dict[str, Any]:
        """All settings but the clock, as JSON types."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "clock"}
        return {
            k: dict(v) if isinstance(v, Mapping) else list(v) if isinstance(v, tuple) else v
            for k, v in data.items()
        }

    @classmethod
    def from_json(
        cls, data: Mapping[str, Any], clock: Callable[[], float] = time.time
    ) -> EngineConfig:
        """The inverse of `to_json`."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise BadInput(f"EngineConfig: unknown settings {unknown}; known are {sorted(known)}")
        settings: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        return cls(**settings, clock=clock)
