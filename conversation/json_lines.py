"""JSON lines, packed or not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Each line that isn't blank as "path:number" and what it holds; ValueError where it is no JSON."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                yield where, json.loads(line)
            except ValueError as error:
                raise ValueError(
                    f"{where}: found {line[:60]!r}, expected a JSON value: {error}"
                ) from error
