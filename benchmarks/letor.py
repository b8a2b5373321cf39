"""LETOR and SVMrank files: `grade qid:Q 1:v 2:v … # comment`, one line a judged document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadInput
from engine.formats import open_text
from rankers.base import Judged

DOCUMENT = re.compile(r"docid\s*=\s*(\S+)")


@dataclass(frozen=True, slots=True, eq=False)
class Letor:
    """`judged` with q queries and n rows; `queries` (q,) and `documents` (n,) are their ids.

    A document without an id in its comment (`docid = …`) has an empty one.
    """

    judged: Judged
    queries: tuple[str, ...]
    documents: tuple[str, ...]


def read_letor(*paths: Path, features: int | None = None) -> Letor:
    """One or several files (.gz too) as one: queries in order of appearance.

    Column j holds feature j + 1; a feature that a line leaves out is 0, as SVMrank has it.
    `features`: how many columns, by default as many as the largest feature number. Weights are 1,
    positions 0 (not shown). A query whose lines lie apart is put together.
    """
    queries: dict[str, int] = {}
    of_row: list[int] = []
    grades: list[float] = []
    documents: list[str] = []
    indices: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float32]] = []
    for path in paths:
        with open_text(path) as lines:
            for number, line in enumerate(lines, start=1):
                row, _, comment = line.partition("#")
                if not row.split():
                    continue
                grade, query, index, value = _parsed(row.split(), f"{path}, line {number}")
                of_row.append(queries.setdefault(query, len(queries)))
                grades.append(grade)
                named = DOCUMENT.search(comment)
                documents.append(named[1] if named else "")
                indices.append(index)
                values.append(value)
    widest = max((int(index.max()) for index in indices if index.size), default=0)
    if features is not None and widest > features:
        raise BadInput(f"features: found feature {widest}, expected at most {features}")
    table = np.zeros((len(grades), widest if features is None else features), np.float32)
    for i, (index, value) in enumerate(zip(indices, values, strict=True)):
        table[i, index - 1] = value
    order = np.argsort(of_row, kind="stable")
    sizes = np.bincount(np.array(of_row, np.int64), minlength=len(queries))
    n = len(grades)
    judged = Judged(
        features=table[order],
        labels=np.array(grades, np.float64)[order],
        weights=np.ones(n),
        positions=np.zeros(n, np.int32),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )
    return Letor(judged, tuple(queries), tuple(documents[i] for i in order.tolist()))


def _parsed(
    fields: list[str], where: str
) -> tuple[float, str, NDArray[np.int64], NDArray[np.float32]]:
    if len(fields) < 2 or not fields[1].startswith("qid:"):
        raise BadInput(f"{where}: found {' '.join(fields[:2])!r}, expected a grade and qid:…")
    pairs = [field.partition(":") for field in fields[2:]]
    try:
        grade = float(fields[0])
        index = np.array([int(number) for number, _, _ in pairs], np.int64)
        value = np.array([float(text) for _, _, text in pairs], np.float32)
    except ValueError as e:
        raise BadInput(f"{where}: {e}; expected a grade and features as number:value") from e
    if grade < 0 or (index.size and index.min() < 1):
        raise BadInput(f"{where}: expected a grade of at least 0 and features counted from 1")
    return grade, fields[1][4:], index, value
