"""How searches have fared over the log: stretches of equally many, the latest last.

Read beside whoever writes, by a connection of its own, so that no search waits.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.errors import SnapshotError

FIRST = 10
"""Places of a page on which a click counts as a search that was answered well."""
STRETCHES = 30
"""As many stretches are told, at most."""
LEAST = 25
"""Searches in a stretch that is told by itself: fewer say little."""

# Depths are read by path: names of generators hold no quotes (`Retriever.name` is an identifier).
_PICK = """
SELECT MAX(seq), COUNT(*), AVG(candidates), AVG(place IS NOT NULL), AVG(COALESCE(1.0 / place, 0.0)),
       MIN(version), MAX(version) {depths}
FROM (
    SELECT seq, candidates, plan, version, (
        SELECT MIN(e.position) FROM events e WHERE e.impression = searches.impression
        AND e.position <= {first} AND e.action IN (SELECT value FROM json_each(?))
    ) AS place
    FROM searches WHERE NOT imported AND seq > ?
)
GROUP BY (seq - 1) / ? ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some searches in a row, up to the seq `until`.

    `clicked`: the share with a rewarded action on the first ten; `mrr`: the mean of 1 / its first
    place, 0 where there was none; `candidates`: their mean; `depths`: the mean plan; `versions`: of
    the states that answered, the first and the last.
    """

    until: int
    searches: int
    clicked: float
    mrr: float
    candidates: float
    depths: Mapping[str, float]
    versions: tuple[int, int]


def read_traffic(
    log: Path, generators: Sequence[str], actions: Sequence[str], per: int | None = None
) -> tuple[Stretch, ...]:
    """The latest stretches of `per` searches that the engine served; None: as many as give
    `STRETCHES` of the whole log, at least `LEAST`. `actions`: those that are rewarded."""
    try:
        with closing(sqlite3.connect(f"{log.resolve().as_uri()}?mode=ro", uri=True)) as db:
            last = int(db.execute("SELECT COALESCE(MAX(seq), 0) FROM searches").fetchone()[0])
            size = max(LEAST, -(-last // STRETCHES)) if per is None else per
            depths = "".join(f", AVG(json_extract(plan, '$.\"{name}\"[0]'))" for name in generators)
            rows = db.execute(
                _PICK.format(depths=depths, first=FIRST),
                (json.dumps(list(actions)), max(last - size * STRETCHES, 0), size),
            ).fetchall()
    except sqlite3.Error as e:
        raise SnapshotError(f"{log}: not a readable log ({e})") from e
    return tuple(
        Stretch(
            until=int(row[0]), searches=int(row[1]), candidates=float(row[2] or 0.0),
            clicked=float(row[3]), mrr=float(row[4]), versions=(int(row[5] or 0), int(row[6] or 0)),
            depths={n: float(d or 0.0) for n, d in zip(generators, row[7:], strict=True)},
        )
        for row in rows
    )  # fmt: skip
