"""The seam for simulated people, who search, click and let the engine learn, with progress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from engine import SearchEngine

Stage = Literal["idle", "searching", "comparing", "learning", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class ToldRound:
    """What came of the searches between two `learn`s.

    `until`: searches since the simulation began; `success`: by system, the share of searches whose
    wanted item was on the first page, as far as all systems answered them; `candidates`: the mean of
    the engine's; `regret`: by system, searches so far that it would have answered and the engine did
    not, less the opposite.
    """

    until: int
    success: Mapping[str, float]
    candidates: float
    regret: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Told:
    """How far a simulation has come: `done` of `total` searches."""

    stage: Stage
    done: int
    total: int
    rounds: tuple[ToldRound, ...] = ()
    found: int = 0
    problem: str | None = None


class Simulator(Protocol):
    """Lets people search an engine, `searches` times."""

    def __call__(
        self,
        engine: SearchEngine,
        searches: int,
        learn: Callable[[], object],
        tell: Callable[[Told], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Return when done, or soon after `stopped` is true; `tell` now and then how far it is."""


class Simulation:
    """Runs a simulator in a thread, once at a time."""

    def __init__(
        self, engine: SearchEngine, simulator: Simulator, learn: Callable[[], object]
    ) -> None:
        self._engine = engine
        self._simulator = simulator
        self._learn = learn
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self.told = Told("idle", 0, 0)

    def start(self, searches: int) -> bool:
        """Begin; False where one is running."""
        with self._starting:
            if self._thread is not None and self._thread.is_alive():
                return False
            self._stopping.clear()
            self.told = Told("searching", 0, searches)
            self._thread = threading.Thread(
                target=self._run, args=(searches,), name="ltrr-simulation", daemon=True
            )
            self._thread.start()
            return True

    def stop(self) -> None:
        """End it, and wait a moment for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _run(self, searches: int) -> None:
        def tell(told: Told) -> None:
            self.told = told

        try:
            self._simulator(self._engine, searches, self._learn, tell, self._stopping.is_set)
            stage: Stage = "stopped" if self._stopping.is_set() else "done"
            self.told = replace(self.told, stage=stage)
        except Exception as e:
            # Whatever fails there, the server goes on, and the page says so.
            self.told = replace(self.told, stage="failed", problem=f"{type(e).__name__}: {e}")
            if not self._stopping.is_set():
                logging.getLogger(__name__).exception("the simulation failed")
