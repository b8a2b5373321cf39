"""Keeping BLAS on one thread while many small products are made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_taken = threading.Lock()


@contextmanager
def single_threaded() -> Iterator[None]:
    """Inside, BLAS uses one thread, in every thread of the process (built on OpenMP: in this one).

    A product of a few rows gains nothing from a second thread but waits for it: on a busy machine a
    pass of a sentence encoder took 100 ms so, and 6 ms on one thread. Entered again, by this thread
    or another, it does nothing: the limit lasts as long as its first entry. Entering takes some
    milliseconds, so this is for long work, not for a search.
    """
    if not _taken.acquire(blocking=False):
        # Limits of BLAS are the process's, and threadpoolctl heeds one thread at a time: overlapping
        # entries could leave the limit of the one that came in between.
        yield
        return
    try:
        from threadpoolctl import ThreadpoolController

        with ThreadpoolController().select(user_api="blas").limit(limits=1):
            yield
    finally:
        _taken.release()
