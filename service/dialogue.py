"""The dialogue manager that leads conversations over HTTP."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from conversation.base import AnnotatedTurn
from engine import SearchEngine
from engine.talking import Decides

if TYPE_CHECKING:
    from conversation.dialogue import DialogueManager


class Manager:
    """The dialogue manager of an index's model of conversations, read when it is first asked for and again
    when the index has another one; safe in threads."""

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine
        self._reading = threading.Lock()
        self._read: bytes | None = None
        self._manager: Decides | None = None

    def __call__(self) -> Decides | None:
        """None where the index has none, or one that cannot be read: the log says so, once."""
        model = self._engine.state.conversation
        file = None if model is None else model.manager
        with self._reading:
            if file is not self._read:
                self._read = file
                self._manager = None
                try:
                    self._manager = _tried(None if model is None else model.dialogue_manager())
                except Exception:
                    logging.getLogger(__name__).exception("the dialogue manager cannot be read")
            return self._manager


def _tried(manager: DialogueManager | None) -> DialogueManager | None:
    """The manager, which has decided once: the first time takes longer, and shows whether it can."""
    if manager is not None:
        manager.decide((), AnnotatedTurn("user", "hello"), None)
    return manager
