"""`learn` in a process of its own, so that searches keep theirs.

The child reads the snapshot in force with its changes up to `base`, learns from the log, writes the
next snapshot and says its number; the parent, which holds the folder, puts it in force. It runs at a
low priority on one thread, and ends when the parent does: it lives as long as its standard input
is open.

A thread would not do: much of `learn` is Python, and whoever holds the interpreter's lock makes every
search wait for it dozens of times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

from engine.config import EngineConfig
from engine.errors import LtrrError
from engine.folder import LOG
from engine.learning import learn
from engine.log import Log
from engine.response import LearnReport
from engine.snapshots import in_force, read_state, write_snapshot
from engine.staging import free_version
from engine.state import State
from retrievers.blas import single_threaded

NICE = 10
"""Low enough to let searches through, high enough to get on beside a busy server."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")
"""Of libraries whose threads would take the second core, and wait for each other on a busy one."""


class Apart:
    """Starts learning processes, one at a time, and ends the one that runs at `stop`."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._stopped = False

    def learn(self, folder: Path, base: str) -> tuple[int, LearnReport]:
        """(number of the snapshot written, what was learnt) from the log of `folder`; `base`: the
        last digest of the changes to begin with. LtrrError, with what it said, where it fails."""
        if self._stopped:
            raise LtrrError("learn: the engine is closed")
        command = (sys.executable, "-m", __name__, str(folder.resolve()), base)
        with subprocess.Popen(  # noqa: S603 (our own interpreter, module and folder)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                **dict.fromkeys(THREADS, "1"),
            },
        ) as child:
            self._child = child
            try:
                # Read in full first: closing its input is what ends it.
                said, problems = _read(child)
            finally:
                self._child = None
        try:
            told = json.loads(said)
            return int(told["number"]), LearnReport(**told["report"])
        except (ValueError, KeyError, TypeError) as e:
            why = problems.strip().splitlines()[-1:] or [f"exit status {child.returncode}"]
            raise LtrrError(f"learn: the learning process failed: {why[0]}") from e

    def stop(self) -> None:
        """End the process that is learning; what it has not handed over is dropped."""
        self._stopped = True
        if (child := self._child) is not None:
            child.terminate()


def _read(child: subprocess.Popen[str]) -> tuple[str, str]:
    """(standard output, standard error) until the end, with standard input open all the while."""
    if child.stdout is None or child.stderr is None:
        raise LtrrError("learn: the learning process has no output")
    problems: list[str] = []
    beside = threading.Thread(target=problems.extend, args=(child.stderr,), daemon=True)
    beside.start()
    said = child.stdout.read()
    beside.join()
    return said, "".join(problems)


def learnt(folder: Path, base: str) -> tuple[State, EngineConfig, LearnReport]:
    """What the snapshot in force learns from the log, read beside the process that holds the folder."""
    here = folder / "snapshots" / str(in_force(folder))
    state, config = read_state(here, None, bytes.fromhex(base))
    log = Log(folder / LOG, config.durability)
    try:
        # The same trees on any number of threads, which on a busy machine wait for each other.
        alone = replace(config, ranker_options={**config.ranker_options, "n_jobs": 1})
        state, report = learn(state, log, alone)
    finally:
        log.close()
    return replace(state, version=free_version(folder, state.version)), config, report


def _die_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Learn for the process that started this one."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.nice(NICE)
    folder, base = Path(sys.argv[1]), sys.argv[2]
    with single_threaded():
        state, config, report = learnt(folder, base)
        number = int(write_snapshot(folder, state, config).name)
    sys.stdout.write(json.dumps({"number": number, "report": asdict(report)}))
    sys.stdout.flush()
    # The thread that waits for the parent holds standard input, which an ordinary exit would wait for.
    os._exit(0)


if __name__ == "__main__":
    main()
