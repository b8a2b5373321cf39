"""A log where kinds of query mix: searches by name beside those by topic.

python -m benchmarks.mixed LASTFM --out DIR [--seed 0]

Beside every search of a log comes one of the same user and time for one item by its name, typed as
people type. Two thirds of these mean an item of the user's history (events without a search),
which is then withheld; a third mean one the user has nothing to do with in the whole log, drawn by
how many users have it. Users search far more often than they have history, so at most half of
anyone's history is withheld, and its items are meant in turn, again and again if need be.
"""

from __future__ import annotations

import argparse
import heapq
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.datasets import Dataset, read_dataset
from benchmarks.keyboard import prefix, slip, swapped, without_a_word
from engine.errors import BadEvent, BadInput
from engine.formats import EVENTS, QUERIES, json_lines, parse_time, write_json_lines

EXACT = 0.4
CHANGES: Mapping[Callable[[str, np.random.Generator], str], float] = {
    slip: 0.5,
    prefix: 0.25,
    without_a_word: 0.125,
    swapped: 0.125,
}
HEARD = 2 / 3
WITHHELD = 0.5
SUFFIX = "-name"
"""Ends the id of every search by name, and of no other."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What was written: searches in all, those by name, of these those for an item of the history
    and those typed exactly, and the history withheld."""

    searches: int
    by_name: int
    heard: int
    exact: int
    withheld: int


def typed(name: str, rng: np.random.Generator) -> str:
    """A name as somebody types it: exactly with probability `EXACT`, else with one of `CHANGES`.

    A change that a name does not allow (its one word can't be swapped) gives way to another; names
    of one or two letters always come out exactly.
    """
    if rng.random() < EXACT:
        return name
    text = name.lower()
    changes, chances = list(CHANGES), list(CHANGES.values())
    order: list[int] = rng.choice(len(changes), len(changes), replace=False, p=chances).tolist()
    for i in order:
        changed = changes[i](text, rng)
        if changed.strip() and changed != text:
            return changed
    return name


class Targets:
    """Which item each search by name means."""

    def __init__(self, dataset: Dataset, rng: np.random.Generator) -> None:
        self.titles = {d.id: d.title for d in dataset.documents() if d.title.strip()}
        self._rng = rng
        self._touched: dict[str, set[str]] = {}
        history: dict[str, dict[str, None]] = {}
        for event in dataset.events():
            if event.user is not None and event.document in self.titles:
                self._touched.setdefault(event.user, set()).add(event.document)
                if event.search is None:
                    history.setdefault(event.user, {})[event.document] = None
        users = Counter(document for items in history.values() for document in items)
        if not users:
            raise BadEvent(
                f"{dataset.folder}: no user has history (events without a query_id), of which the "
                "names to search for are drawn"
            )
        self._items = sorted(users)
        self._until = np.cumsum([users[item] for item in self._items])
        self._meant = {user: self._some(list(items)) for user, items in sorted(history.items())}
        self._next = dict.fromkeys(self._meant, 0)

    def _some(self, items: list[str]) -> list[str]:
        count = max(1, int(len(items) * WITHHELD))
        return [items[i] for i in self._rng.permutation(len(items))[:count].tolist()]

    def of(self, user: str | None) -> tuple[str, bool]:
        """(item, whether it is of the user's history) that the next search by name means."""
        if self._rng.random() < HEARD and user in self._meant:
            place = self._next[user]
            self._next[user] = place + 1
            return self._meant[user][place % len(self._meant[user])], True
        touched = self._touched.get(user, set()) if user is not None else set()
        if len(touched.intersection(self._items)) == len(self._items):
            raise BadEvent(f"user {user!r}: has to do with every item, so that none is new to them")
        while True:
            drawn = self._rng.integers(int(self._until[-1]))
            item = self._items[int(np.searchsorted(self._until, drawn, side="right"))]
            if item not in touched:
                return item, False


def write_mixed(source: Path, out: Path, *, seed: int = 0, progress: bool = False) -> Mixture:
    """Derive the mixed log of a data set with history; the same seed gives the same bytes."""
    dataset = read_dataset(source)
    queries, log = dataset.searches_file, dataset.events_file
    if queries is None or log is None:
        raise BadEvent(f"{source}: holds no {QUERIES[0]} and {EVENTS[0]}; expected a UBI log")
    if out.resolve() == source.resolve():
        raise BadInput(f"--out: found {out}, the data set itself; expected another folder")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(dataset.corpus, out / dataset.corpus.name)
    rng = np.random.default_rng(seed)
    targets = Targets(dataset, rng)
    clicks: list[dict[str, Any]] = []
    withheld: set[tuple[str, str]] = set()
    counts: Counter[str] = Counter()

    def searches() -> Iterator[Mapping[str, Any]]:
        rows = json_lines(queries, BadEvent)
        for _, row in tqdm(rows, desc="searches", unit=" searches", disable=not progress):
            yield row
            user = row.get("user_id") or row.get("client_id")
            item, heard = targets.of(user)
            text = typed(targets.titles[item], rng)
            when = {"query_id": f"{row['query_id']}{SUFFIX}", "timestamp": row["timestamp"]}
            when |= {key: row[key] for key in ("client_id", "user_id") if key in row}
            clicks.append(_click(item, when))
            if heard:
                withheld.add((str(user), item))
            counts.update(by_name=1, heard=heard, exact=text == targets.titles[item])
            yield {**when, "user_query": text, "query_attributes": {}}

    def events() -> Iterator[Mapping[str, Any]]:
        rows = (row for _, row in json_lines(log, BadEvent))
        for row in tqdm(
            heapq.merge(rows, clicks, key=lambda row: parse_time(row["timestamp"], str(log))),
            desc="events",
            unit=" events",
            disable=not progress,
        ):
            item = row["event_attributes"]["object"]["object_id"]
            user = row.get("user_id") or row.get("client_id")
            if not row.get("query_id") and (user, item) in withheld:
                counts["withheld"] += 1
            else:
                yield row

    total = write_json_lines(out / QUERIES[1], searches())
    write_json_lines(out / EVENTS[1], events())
    return Mixture(
        searches=total,
        by_name=counts["by_name"],
        heard=counts["heard"],
        exact=counts["exact"],
        withheld=counts["withheld"],
    )


def _click(item: str, when: Mapping[str, Any]) -> dict[str, Any]:
    named = {"object_id": item, "object_id_field": "_id"}
    return {"action_name": "click", **when, "event_attributes": {"object": named}}


def main() -> None:
    """Write the data set and say what is in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", metavar="LASTFM", type=Path, help="a data set with history")
    parser.add_argument("--out", type=Path, required=True, help="where the new one goes")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    made = write_mixed(
        arguments.source, arguments.out, seed=arguments.seed, progress=sys.stderr.isatty()
    )
    for name, count in asdict(made).items():
        print(f"{name:<10} {count:>9,}")


if __name__ == "__main__":
    main()
