"""The folder an engine lives in: one writing process, the log, the snapshots."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from engine.errors import LockedError

LOG = "log.sqlite"
LOCK = "lock"


class Folder:
    """Holds the lock on DIR while open; without DIR, a private temporary folder that goes at close."""

    def __init__(self, path: Path | None) -> None:
        self._temporary = path is None
        self.path = Path(tempfile.mkdtemp(prefix="ltrr-")) if path is None else Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] | None = (self.path / LOCK).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            self._lock.close()
            raise LockedError(
                f"{self.path}: in use by another process; one process at a time may write to an "
                "index. Close it there, or use another folder"
            ) from e

    @property
    def log(self) -> Path:
        """Where the log lies."""
        return self.path / LOG

    @property
    def temporary(self) -> bool:
        """Whether the folder goes at close."""
        return self._temporary

    def close(self) -> None:
        """Give the lock back; closing twice is allowed."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
            if self._temporary:
                shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
