"""What the routes share: the engine, its limits, and the workers that searches wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from engine import Context, SearchEngine
from engine.talking import Decides
from service.learning import Learner
from service.metrics import Metrics
from service.problems import Problem
from service.settings import Settings
from service.simulating import Simulation

_Result = TypeVar("_Result")
WRITERS = 4
"""Threads for what is quick and must not wait behind searches: feedback above all."""
ASIDE = 2
"""Threads for what may take long: adding documents, reading the log."""


@dataclass(slots=True, eq=False)
class Serving:
    """One engine being served. `manager` gives what leads conversations; `ready`: whether searches should
    come; `stopping`: at the end."""

    engine: SearchEngine
    settings: Settings
    manager: Callable[[], Decides | None]
    learner: Learner
    metrics: Metrics
    simulation: Simulation | None
    ready: bool = False
    stopping: bool = False
    _searches: int = field(init=False, default=0)
    _searching: CapacityLimiter = field(init=False)
    _writing: CapacityLimiter = field(init=False)
    _aside: CapacityLimiter = field(init=False)

    def __post_init__(self) -> None:
        self._searching = CapacityLimiter(self.settings.workers)
        self._writing = CapacityLimiter(WRITERS)
        self._aside = CapacityLimiter(ASIDE)

    async def search(self, work: Callable[[], _Result]) -> _Result:
        """Run what takes a search's time, when a worker is free; refused where too many wait."""
        # Counted here, since a limiter counts who waits only once the event loop comes back to it: a
        # burst would pass.
        waiting = max(self._searches - self.settings.workers, 0)
        self.metrics.waiting.set(waiting)
        if self._searches >= self.settings.workers + self.settings.waiting:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"busy: {waiting} searches are waiting; try again in a moment",
                headers={"retry-after": "1"},
            )
        self._searches += 1
        try:
            return await to_thread.run_sync(work, limiter=self._searching)
        finally:
            self._searches -= 1

    async def write(self, work: Callable[[], _Result]) -> _Result:
        """Run what is quick."""
        return await to_thread.run_sync(work, limiter=self._writing)

    async def aside(self, work: Callable[[], _Result]) -> _Result:
        """Run what may take long."""
        return await to_thread.run_sync(work, limiter=self._aside)

    def check(self, query: str, context: Context, k: int, field: str = "query") -> None:
        """Refuse what is beyond the limits."""
        settings = self.settings
        for name, found, limit in (
            (field, len(query), settings.query),
            ("k", k, settings.k),
            ("context.turns", len(context.turns), settings.turns),
        ):
            if found > limit:
                unit = "characters" if name == field else "" if name == "k" else "turns"
                raise Problem(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    f"{name}: found {found:,} {unit}".rstrip() + f", the limit is {limit:,}",
                    field=name,
                )

    def check_batch(self, name: str, found: int) -> None:
        """Refuse too much at once."""
        if found > self.settings.batch:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{name}: found {found:,}, the limit in one request is {self.settings.batch:,}",
                field=name,
            )
