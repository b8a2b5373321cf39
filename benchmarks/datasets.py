"""Data sets on disk: BEIR for documents and judgements, UBI for searches and events.

    corpus.jsonl         {"_id", "title", "text", "metadata"}
    queries.jsonl        {"_id", "text", "metadata"}
    qrels/<split>.tsv    query-id, corpus-id, score, under a header line
    ubi_queries.jsonl    {"query_id", "user_query", "client_id", "timestamp", "query_attributes", …}
    ubi_events.jsonl     {"action_name", "query_id"?, "timestamp", "event_attributes", …}

Each may be compressed (.gz); all but the corpus may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.judgements import Qrels, divided, joined, read_qrels
from engine.errors import BadDocuments, BadEvent, BadInput
from engine.formats import (
    EVENTS,
    QUERIES,
    json_lines,
    read_documents,
    read_events,
    read_searches,
)
from engine.response import Event, LoggedSearch
from retrievers.base import Document

CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")
TEXTS = ("queries.jsonl", "queries.jsonl.gz")
JUDGED = (".tsv", ".tsv.gz")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Where everything of a data set lies; nothing is read before it is asked for.

    `queries`, `searches_file` and `events_file` are None where there is no such file; `qrels`
    maps split to file.
    """

    folder: Path
    corpus: Path
    queries: Path | None
    qrels: Mapping[str, Path]
    searches_file: Path | None
    events_file: Path | None

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.resolve().name

    def documents(self) -> Iterator[Document]:
        """The corpus, one document at a time."""
        return read_documents(self.corpus)

    def texts(self) -> dict[str, str]:
        """{query id: text}; BadInput where the set has no queries.jsonl."""
        if self.queries is None:
            raise BadInput(f"{self.folder}: holds no {TEXTS[0]} (or .gz)")
        texts: dict[str, str] = {}
        for number, row in json_lines(self.queries, BadInput):
            id, text = row.get("_id"), row.get("text")
            if not isinstance(id, str) or not isinstance(text, str):
                raise BadInput(
                    f"{self.queries}, line {number}: `_id` is {id!r} and `text` is {text!r}, "
                    "expected strings"
                )
            texts[id] = text
        return texts

    def judgements(self, split: str) -> Qrels:
        """{query: {document: grade}} of one split."""
        if split not in self.qrels:
            raise BadInput(
                f"split: found {split!r}, {self.folder} has {', '.join(self.qrels) or 'none'}"
            )
        return read_qrels(self.qrels[split])

    def learn_and_report(
        self, learn: str, report: str, share: float | None = None
    ) -> tuple[Qrels, Qrels]:
        """Judgements to learn from, and others, of queries never learnt from, to report on.

        Where one of the two splits is missing, or both are the same, what there is is divided:
        about `share` of its queries, by a hash of their id, to learn from, the rest to report on.
        """
        there = [split for split in dict.fromkeys((learn, report)) if split in self.qrels]
        if len(there) == 2:
            first, second = self.judgements(learn), self.judgements(report)
            shared = [query for query in second if query in first]
            if shared:
                raise BadInput(
                    f"{self.folder}: {len(shared):,} queries, such as {shared[0]!r}, are judged in "
                    f"both {learn} and {report}; expected queries that were never learnt from"
                )
            return first, second
        if not there:
            raise BadInput(
                f"{self.folder}: found neither the split {learn!r} nor {report!r}, only "
                f"{', '.join(self.qrels) or 'none'}"
            )
        if share is None:
            raise BadInput(
                f"{self.folder}: of the splits {learn!r} and {report!r} it has only {there[0]!r}; "
                "give the share of its queries to learn from (--split 0.8)"
            )
        return divided(joined(self.judgements(split) for split in there), share)

    def searches(self) -> Iterator[LoggedSearch]:
        """The log's searches in the order of the file, one at a time."""
        if self.searches_file is None:
            raise BadEvent(f"{self.folder}: holds no {QUERIES[0]} (or .gz); expected a UBI log")
        return read_searches(self.searches_file)

    def events(self, *, profile: bool = True) -> Iterator[Event]:
        """The log's events in the order of the file, one at a time.

        Without `profile`, only those that answer a search: history is left out.
        """
        if self.events_file is None:
            raise BadEvent(f"{self.folder}: holds no {EVENTS[0]} (or .gz); expected a UBI log")
        events = read_events(self.events_file)
        return events if profile else (event for event in events if event.search is not None)


def read_dataset(path: Path | str) -> Dataset:
    """The data set of a folder. BadDocuments where the folder or its corpus is missing."""
    folder = Path(path)
    if not folder.is_dir():
        raise BadDocuments(f"{folder}: no such folder; expected a data set (corpus.jsonl, …)")
    corpus = first_of(folder, CORPUS)
    if corpus is None:
        raise BadDocuments(f"{folder}: holds no {CORPUS[0]} or {CORPUS[1]}")
    return Dataset(
        folder=folder,
        corpus=corpus,
        queries=first_of(folder, TEXTS),
        qrels=splits(folder),
        searches_file=first_of(folder, QUERIES),
        events_file=first_of(folder, EVENTS),
    )


def first_of(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first of the names that the folder holds."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def splits(folder: Path) -> dict[str, Path]:
    """{split: file} of qrels/, by name."""
    found: dict[str, Path] = {}
    if (folder / "qrels").is_dir():
        for path in sorted((folder / "qrels").iterdir()):
            ending = next((e for e in JUDGED if path.name.endswith(e)), None)
            if ending is not None:
                found.setdefault(path.name.removesuffix(ending), path)
    return found
