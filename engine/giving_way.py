"""Letting searches have the interpreter while something long runs beside them.

Whoever wants the interpreter's lock waits up to the switch interval, 5 ms by default, for a thread that
computes in Python; a search takes the lock dozens of times.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_S = 0.0002


@contextmanager
def giving_way() -> Iterator[None]:
    """Inside, threads take turns quickly, in the whole process."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
