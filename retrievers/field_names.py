"""What names a document, by field: its title under its type, the values of its metadata under their keys."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from retrievers.base import Document

TITLE = "title"
"""The field of titles of documents without a type."""
LONGEST = 80
"""Characters of the longest value that names something; what is longer describes."""
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def named(document: Document, aliases: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    """(field, value, whether it is a name of the document itself).

    `aliases`: keys of metadata that hold other names of it.
    """
    own = document.type or TITLE
    if 0 < len(document.title) <= LONGEST:
        yield own, document.title, True
    for key, entry in document.metadata.items():
        if key == "type" or not isinstance(entry, str | list | tuple):
            continue
        for value in document.values(key):
            if 0 < len(value) <= LONGEST:
                yield (own, value, True) if key in aliases else (key, value, False)


def year_of(document: Document, keys: tuple[str, ...]) -> float:
    """The first of `keys` that holds a date: a year, its months and days as a fraction; of a decade
    ("1980s") the middle. Where none does, the earliest day ("1958-08-04") in the metadata; NaN without."""
    for key in keys:
        value: Any = document.metadata.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if math.isfinite(value) and 1000 <= value < 3000:
                return float(value)
        elif isinstance(value, str) and (date := _DATE.match(value)):
            return int(date[1]) + 5.0 if value.startswith("s", 4) else _year(date)
    values = (v for v in document.metadata.values() if isinstance(v, str))
    found = [date for date in map(_DATE.match, values) if date is not None and date[3]]
    return min(map(_year, found), default=math.nan)


def _year(date: re.Match[str]) -> float:
    months, days = int(date[2] or 1) - 1, int(date[3] or 1) - 1
    return int(date[1]) + min(months / 12 + days / 372, 0.999)
