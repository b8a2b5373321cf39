"""Opening an index, with a sign of life while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import problems, watched

if TYPE_CHECKING:
    from engine import SearchEngine


@contextmanager
def opened(folder: Path) -> Iterator[SearchEngine]:
    """The engine of a folder, closed at the end."""
    with problems().status(f"opening {folder}") if watched() else nullcontext():
        from engine import SearchEngine

        engine = SearchEngine.load(folder)
    with engine:
        yield engine
