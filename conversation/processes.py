"""Processes that work side by side and end with the one that started them."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread


def processes(count: int) -> ProcessPoolExecutor:
    """At most `count` at a time, each started anew, so that none inherits a thread's lock.

    A pool's own processes outlive a parent that was killed until they are done with what they
    have, which may be an hour of two cores.
    """
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_watch)


def _watch() -> None:
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
