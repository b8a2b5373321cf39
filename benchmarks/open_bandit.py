"""Open Bandit Dataset (Saito et al., NeurIPS 2021): logged recommendations with propensities."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bandit.ope import Feedback
from engine.errors import BadInput
from engine.formats import open_text, parse_time

Floats = NDArray[np.float64]
ITEMS = "item_context"
LOGGED = ("timestamp", "item_id", "position", "click", "propensity_score")


@dataclass(frozen=True, slots=True, eq=False)
class OpenBandit:
    """One campaign as one policy showed it: n rounds, m items.

    `times` (n,): POSIX seconds. `items` (m, p): what is known of each item, categories as codes in
    sorted order. `affinities` (n, m): the log's own user-item affinity; (n, 0) where it has none.
    """

    feedback: Feedback
    times: Floats
    items: Floats
    affinities: Floats


def read_open_bandit(folder: Path) -> OpenBandit:
    """The folder of one policy and campaign: item_context.csv and the log beside it (.gz too).

    Contexts are the categories of the user features, one column each but the first, as Open Bandit
    Pipeline has them; positions count from 0.
    """
    log, items = _files(folder)
    header, rows = _table(log, LOGGED)
    column = {name: place for place, name in enumerate(header)}
    if not rows:
        raise BadInput(f"{log}: holds no rounds")
    item_names, known = _items(items)
    row_of = {name: row for row, name in enumerate(item_names)}
    positions = _numbers(log, rows, column["position"]).astype(np.int64)
    try:
        actions = np.array([row_of[row[column["item_id"]]] for row in rows], np.int64)
    except KeyError as e:
        raise BadInput(f"{log}: `item_id` {e} is not in {items}") from e
    users = [place for name, place in column.items() if name.startswith("user_feature")]
    affine = [place for name, place in column.items() if name.startswith("user-item_affinity")]
    feedback = Feedback(
        n_actions=len(item_names),
        actions=actions,
        rewards=_numbers(log, rows, column["click"]),
        propensities=_numbers(log, rows, column["propensity_score"]),
        positions=np.unique(positions, return_inverse=True)[1].astype(np.int64),
        contexts=np.concatenate(
            [np.zeros((len(rows), 0)), *(_dummies([row[p] for row in rows]) for p in users)], axis=1
        ),
    )
    return OpenBandit(
        feedback=feedback,
        times=_times(log, rows, column["timestamp"]),
        items=known,
        affinities=np.stack([_numbers(log, rows, p) for p in affine], axis=1)
        if affine
        else np.zeros((len(rows), 0)),
    )


def _files(folder: Path) -> tuple[Path, Path]:
    found = sorted(p for p in folder.glob("*.csv*") if p.name.endswith((".csv", ".csv.gz")))
    items = [path for path in found if path.name.startswith(ITEMS)]
    logs = [path for path in found if path not in items]
    if len(items) != 1 or len(logs) != 1:
        raise BadInput(
            f"{folder}: found {[path.name for path in found]}, expected {ITEMS}.csv and the log of "
            "one campaign"
        )
    return logs[0], items[0]


def _table(path: Path, wanted: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    with open_text(path) as lines:
        reader = csv.reader(lines)
        header = next(reader, [])
        missing = [name for name in wanted if name not in header]
        if missing:
            raise BadInput(f"{path}, line 1: found no column {missing}, expected {list(wanted)}")
        rows = []
        for row in reader:
            if len(row) != len(header):
                raise BadInput(
                    f"{path}, line {reader.line_num}: found {len(row)} columns, expected "
                    f"{len(header)} as in the header"
                )
            rows.append(row)
    return header, rows


def _numbers(path: Path, rows: list[list[str]], place: int) -> Floats:
    try:
        return np.array([float(row[place]) for row in rows])
    except ValueError as e:
        raise BadInput(f"{path}: column {place + 1} holds something else than numbers ({e})") from e


def _times(path: Path, rows: list[list[str]], place: int) -> Floats:
    return np.array(
        [parse_time(row[place], f"{path}, line {i}").timestamp() for i, row in enumerate(rows, 2)]
    )


def _codes(values: list[str]) -> tuple[NDArray[np.int64], int]:
    code = {value: i for i, value in enumerate(sorted(set(values)))}
    return np.array([code[value] for value in values], np.int64), len(code)


def _dummies(values: list[str]) -> Floats:
    """One column for each category but the first in sorted order."""
    codes, count = _codes(values)
    dummies: Floats = (codes[:, None] == np.arange(1, count)).astype(np.float64)
    return dummies


def _items(path: Path) -> tuple[list[str], Floats]:
    header, rows = _table(path, ("item_id",))
    place = header.index("item_id")
    rows.sort(key=lambda row: float(row[place]))
    known = np.zeros((len(rows), 0))
    for i, name in enumerate(header):
        if name.startswith("item_feature"):
            values = [row[i] for row in rows]
            try:
                column = np.array([float(value) for value in values])
            except ValueError:
                column = _codes(values)[0].astype(np.float64)
            known = np.column_stack([known, column])
    return [row[place] for row in rows], known
