"""Keeping BLAS on one thread while many small products are made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController, _ThreadpoolLimiter

_lock = threading.Lock()
_inside = 0
_libraries: ThreadpoolController | None = None
_limiter: _ThreadpoolLimiter | None = None


@contextmanager
def single_threaded() -> Iterator[None]:
    """Inside, BLAS uses one thread, in every thread of the process; nests, and overlaps safely.

    A product of a few rows gains nothing from a second thread but waits for it: on a busy machine a
    pass of a sentence encoder took 100 ms so, and 6 ms on one thread. It also leaves the sums, and so
    their last bits, independent of how many cores there are.
    """
    global _inside, _libraries, _limiter
    with _lock:
        if _inside == 0:
            if _libraries is None:
                from threadpoolctl import ThreadpoolController

                _libraries = ThreadpoolController().select(user_api="blas")
            # The limit is the process's: the first to come sets it and the last to go restores it.
            _limiter = _libraries.limit(limits=1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _limiter is not None:
                _limiter.restore_original_limits()
                _limiter = None
