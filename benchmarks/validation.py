"""Everything that is wrong with a data set, by file and line, in one report.

    report = validate(Path("data/music"))
    report.ok, report.counts, report.problems

Files are read line by line; only ids are kept, so that a log of millions of rows can be checked.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.datasets import CORPUS, TEXTS, first_of, splits
from benchmarks.judgements import HEADER
from benchmarks.row_checks import (
    Found,
    Known,
    check_document,
    check_event,
    check_search,
    check_text,
)
from engine.errors import BadDocuments
from engine.formats import EVENTS, QUERIES


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: `file` relative to the data set, `line` from 1 (0: the file as a whole)."""

    file: str
    line: int
    kind: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What was read and what is wrong with it.

    `rows` maps file to lines read, `counts` maps kind of problem to how often, all of them;
    `problems` are the first of each kind, in the order of reading, as many as `limit` allowed.
    """

    rows: Mapping[str, int]
    counts: Mapping[str, int]
    problems: tuple[Problem, ...]

    @property
    def total(self) -> int:
        """Problems of all kinds."""
        return sum(self.counts.values())

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts


def validate(folder: Path, *, limit: int | None = None, progress: bool = False) -> ValidationReport:
    """Check a folder in the layout of `benchmarks.datasets`.

    `limit`: how many problems of each kind to name; the others are only counted. BadDocuments
    where there is no such folder; anything else that is wrong is a problem of the report.
    """
    if not folder.is_dir():
        raise BadDocuments(f"{folder}: no such folder; expected a data set (corpus.jsonl, …)")
    return _Validation(folder, limit, progress).run()


class _Validation:
    def __init__(self, folder: Path, limit: int | None, progress: bool) -> None:
        self._folder = folder
        self._limit = limit
        self._progress = progress
        self._rows: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._known = Known()
        self._has_corpus = True

    def run(self) -> ValidationReport:
        corpus, texts = first_of(self._folder, CORPUS), first_of(self._folder, TEXTS)
        searches, events = first_of(self._folder, QUERIES), first_of(self._folder, EVENTS)
        judged = list(splits(self._folder).values())
        files = [path for path in (corpus, texts, *judged, searches, events) if path is not None]
        size = sum(path.stat().st_size for path in files)
        with tqdm(
            total=size, unit="B", unit_scale=True, desc="checking", disable=not self._progress
        ) as self._bar:
            self._has_corpus = corpus is not None
            if corpus is None:
                self._report(CORPUS[0], 0, "missing file", "there is no corpus")
            else:
                self._json(corpus, check_document)
            if texts is not None:
                self._json(texts, check_text)
            elif judged:
                self._report(TEXTS[0], 0, "missing file", "qrels judge queries that are not there")
            for path in judged:
                self._qrels(path, queries=texts is not None)
            if searches is not None:
                self._json(searches, check_search)
            if events is not None:
                self._json(events, check_event)
        return ValidationReport(self._rows, dict(self._counts), tuple(self._problems))

    def _report(self, file: str, line: int, kind: str, message: str) -> None:
        if kind == "unknown document" and not self._has_corpus:
            return  # that the corpus is missing says it all
        self._counts[kind] += 1
        if self._limit is None or self._counts[kind] <= self._limit:
            self._problems.append(Problem(file, line, kind, message))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _json(
        self, path: Path, check: Callable[[Mapping[str, Any], Known], Iterator[Found]]
    ) -> None:
        name = self._name(path)
        self._known.latest = None
        for number, line in self._lines(path):
            try:
                row = json.loads(line)
            except json.JSONDecodeError as e:
                self._report(name, number, "not JSON", f"{e.msg} at column {e.colno}")
                continue
            except RecursionError:
                self._report(name, number, "not JSON", "nested too deeply")
                continue
            if not isinstance(row, dict):
                found = type(row).__name__
                self._report(name, number, "not JSON", f"found {found}, expected an object")
                continue
            for kind, message in check(row, self._known):
                self._report(name, number, kind, message)

    def _qrels(self, path: Path, *, queries: bool) -> None:
        name = self._name(path)
        judged: set[tuple[str, str]] = set()
        for number, line in self._lines(path):
            fields = line.rstrip("\r\n").split("\t")
            if number == 1:
                if tuple(fields) == HEADER:
                    continue
                self._report(
                    name,
                    1,
                    "missing header",
                    f"found {line.strip()!r}, expected {' '.join(HEADER)}",
                )
                if not _is_whole(fields[-1]):
                    continue
            if len(fields) != 3 or not all(fields):
                self._report(
                    name, number, "missing field",
                    f"found {len(fields)} columns in {line.strip()!r}, expected query-id, corpus-id "
                    "and score, separated by tabs",
                )  # fmt: skip
                continue
            query, document, grade = fields
            if not _is_whole(grade):
                self._report(
                    name, number, "wrong value", f"score {grade!r}, expected a whole number"
                )
            if queries and query not in self._known.queries:
                self._report(name, number, "unknown query", f"no query has the id {query!r}")
            if document not in self._known.documents:
                self._report(
                    name, number, "unknown document", f"no document has the id {document!r}"
                )
            if (query, document) in judged:
                self._report(
                    name,
                    number,
                    "duplicate id",
                    f"query {query!r} judges {document!r} a second time",
                )
            judged.add((query, document))

    def _lines(self, path: Path) -> Iterator[tuple[int, str]]:
        """(number, text) of every line that is not blank and can be read."""
        name = self._name(path)
        number = read = 0
        with path.open("rb") as file:
            packed = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else None
            try:
                for number, line in enumerate(packed or file, 1):
                    if number % 1000 == 0:
                        self._bar.update(file.tell() - read)
                        read = file.tell()
                    try:
                        text = line.decode("utf-8")
                    except UnicodeDecodeError as e:
                        self._report(name, number, "unreadable", f"not UTF-8 (at byte {e.start})")
                        continue
                    if text.strip():
                        yield number, text
            except (EOFError, gzip.BadGzipFile, zlib.error) as e:
                self._report(name, number + 1, "unreadable", f"nothing from here on ({e})")
            self._bar.update(file.tell() - read)
        self._rows[name] = number


def _is_whole(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
