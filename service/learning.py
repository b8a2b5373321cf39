"""`learn` beside serving: one at a time, told of when asked."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from engine import LearnReport, SearchEngine

KEPT = 100
"""Reports that are remembered."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """One `learn` that is done: when, what state came of it, after how many searches of the log."""

    at: datetime
    version: int
    searches_logged: int
    report: LearnReport


@dataclass(frozen=True, slots=True)
class LearningState:
    """What the learner is doing; `seconds` since it began, `problem` of the last one, if it failed."""

    running: bool
    seconds: float
    version: int
    problem: str | None
    history: tuple[Learnt, ...]


class Learner:
    """Lets an engine learn in the background."""

    def __init__(
        self,
        engine: SearchEngine,
        how: Literal["apart", "here"],
        told: Callable[[LearnReport], None],
    ) -> None:
        self._engine = engine
        self._apart = how == "apart"
        self._told = told
        self._one = threading.Lock()
        self._since: float | None = None
        self._problem: str | None = None
        self._history: deque[Learnt] = deque(maxlen=KEPT)
        self._thread: threading.Thread | None = None
        self._stopping = False

    @property
    def state(self) -> LearningState:
        """What it is doing now."""
        since = self._since
        return LearningState(
            running=since is not None,
            seconds=0.0 if since is None else time.monotonic() - since,
            version=self._engine.state.version,
            problem=self._problem,
            history=tuple(self._history),
        )

    def learn(self) -> LearnReport:
        """Learn now and wait for it; after another that is running, if one is."""
        with self._one:
            self._since = time.monotonic()
            try:
                report = self._engine.learn(apart=self._apart)
            finally:
                self._since = None
            self._problem = None
            logged, _ = self._engine.log.last()
            version = self._engine.state.version
            self._history.append(Learnt(datetime.now(UTC), version, logged, report))
            self._told(report)
            return report

    def start(self) -> bool:
        """Learn in a thread; False where one is running already."""
        if self._since is not None:
            return False

        self._thread = threading.Thread(target=self._run, name="ltrr-learn", daemon=True)
        self._thread.start()
        return True

    def _run(self) -> None:
        try:
            self.learn()
        except Exception as e:
            # The server goes on with what was learnt before; `state` and the log say why.
            self._problem = f"{type(e).__name__}: {e}"
            if not self._stopping:
                logging.getLogger(__name__).exception("learning failed")

    def stop(self, seconds: float) -> None:
        """Let what is learning end, for so long; what it has not finished is dropped."""
        self._stopping = True
        if self._thread is not None:
            self._thread.join(timeout=seconds)
