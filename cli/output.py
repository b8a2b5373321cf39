"""Where output goes: results to standard output, progress and problems to standard error."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

PIPED_WIDTH = 100
"""Columns where there is no terminal to ask."""


def screen() -> Console:
    """Standard output; plain text without a terminal."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, markup=False, width=PIPED_WIDTH if piped else None)


def problems() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, markup=False)


def watched() -> bool:
    """Whether somebody looks at standard error, so that progress is worth showing."""
    return sys.stderr.isatty()


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    # Imported here so that --help need not wait for the engine.
    from engine.plain import plain

    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def command(*words: str) -> str:
    """A command line that can be pasted into a shell."""
    return shlex.join(words)


def print_facts(console: Console, facts: Mapping[str, str]) -> None:
    """Names and values, aligned; a long value goes on below itself."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        lines = Text(value).wrap(console, max(console.width - width - 4, 20))
        for place, line in enumerate(lines):
            label = name if place == 0 else ""
            console.print(Text.assemble("  ", (f"{label:<{width}}", "dim"), "  ", line))


def print_next(console: Console, says: str, line: str) -> None:
    """What to do next, on one line however long, so that it can be copied whole."""
    console.print(Text.assemble((f"{says}  ", "dim"), (line, "bold")), soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """`1 search`, `2,000 searches`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun}{'es' if noun.endswith('ch') else 's'}"


def duration(seconds: float) -> str:
    """`0.3 s`, `42 s`, `3 min 20 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"
