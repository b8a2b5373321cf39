"""Files in and out: BEIR for documents, UBI 1.3 (User Behavior Insights) for searches and events."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from engine.errors import BadDocuments, BadEvent, BadInput
from engine.response import Event, LoggedSearch
from retrievers.base import Document

QUERIES = ("ubi_queries.jsonl", "ubi_queries.jsonl.gz")
EVENTS = ("ubi_events.jsonl", "ubi_events.jsonl.gz")


def open_text(path: Path) -> IO[str]:
    """The file as UTF-8 text, decompressed where its name ends in .gz."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


@contextmanager
def writing(path: Path) -> Iterator[IO[str]]:
    """A new UTF-8 text file, compressed where its name ends in .gz; the same text, the same bytes."""
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="\n") as out:
            yield out
        return
    # Without a name and a time in the header, which would differ from run to run.
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as out,
    ):
        yield out


def write_json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """One JSON object a line; how many."""
    count = 0
    with writing(path) as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def json_lines(path: Path, error: type[BadInput]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of a JSON lines file; blank lines are passed over."""
    with open_text(path) as lines:
        number = 0
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise error(
                            f"{path}, line {number}: found {type(row).__name__}, expected a JSON object"
                        )
                    yield number, row
        except json.JSONDecodeError as e:
            raise error(
                f"{path}, line {number}: not valid JSON ({e.msg} at column {e.colno})"
            ) from e
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as e:
            raise error(f"{path}, after line {number}: cannot be read as UTF-8 text ({e})") from e


def document_from_json(row: Mapping[str, Any]) -> Document:
    """A BEIR row; `type` is read from `metadata.type`."""
    metadata = row.get("metadata") or {}
    kind = metadata.get("type")
    return Document(
        id=row["_id"],
        title=row.get("title") or "",
        text=row.get("text") or "",
        type=None if kind is None else str(kind),
        metadata=metadata,
    )


def document_to_json(document: Document) -> dict[str, Any]:
    """The inverse of `document_from_json`."""
    metadata = dict(document.metadata)
    if document.type is not None:
        metadata["type"] = document.type
    return {
        "_id": document.id,
        "title": document.title,
        "text": document.text,
        "metadata": metadata,
    }


def read_documents(path: Path) -> Iterator[Document]:
    """The documents of a corpus file, or of the corpus.jsonl(.gz) in a folder."""
    if path.is_dir():
        found = [
            path / name for name in ("corpus.jsonl", "corpus.jsonl.gz") if (path / name).exists()
        ]
        if not found:
            raise BadDocuments(f"{path}: holds no corpus.jsonl or corpus.jsonl.gz")
        path = found[0]
    if not path.exists():
        raise BadDocuments(
            f"{path}: no such file; expected a corpus in BEIR's layout (corpus.jsonl)"
        )
    seen: dict[str, int] = {}
    for number, row in json_lines(path, BadDocuments):
        where = f"{path}, line {number}"
        id = row.get("_id")
        if not isinstance(id, str) or not id:
            raise BadDocuments(f"{where}: `_id` is {id!r}, expected a non-empty string")
        if id in seen:
            raise BadDocuments(f"{where}: duplicate `_id` {id!r}, first seen in line {seen[id]}")
        seen[id] = number
        for key in ("title", "text"):
            if not isinstance(row.get(key, ""), str | None):
                raise BadDocuments(
                    f"{where}: `{key}` is {type(row[key]).__name__}, expected a string"
                )
        if not isinstance(row.get("metadata", {}), dict | None):
            raise BadDocuments(
                f"{where}: `metadata` is {type(row['metadata']).__name__}, expected an object"
            )
        yield document_from_json(row)


def parse_time(value: object, where: str) -> datetime:
    """An ISO 8601 timestamp; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError as e:
        raise BadEvent(f"{where}: timestamp {value!r} is not ISO 8601") from e
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def find(folder: Path, names: tuple[str, str]) -> Path:
    """The first of the names that the folder holds."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise BadEvent(f"{folder}: holds neither {names[0]} nor {names[1]}; expected a UBI log")


def read_searches(path: Path) -> Iterator[LoggedSearch]:
    """The searches of a UBI queries file."""
    for number, row in json_lines(path, BadEvent):
        where = f"{path}, line {number}"
        for key in ("query_id", "user_query", "timestamp"):
            if not isinstance(row.get(key), str):
                raise BadEvent(f"{where}: `{key}` is {row.get(key)!r}, expected a string")
        yield LoggedSearch(
            id=row["query_id"],
            query=row["user_query"],
            time=parse_time(row["timestamp"], where),
            user=row.get("user_id") or row.get("client_id") or None,
            shown=tuple(row.get("query_response_hit_ids") or ()),
            attributes=row.get("query_attributes") or {},
        )


def read_events(path: Path) -> Iterator[Event]:
    """The events of a UBI events file."""
    for number, row in json_lines(path, BadEvent):
        where = f"{path}, line {number}"
        attributes = row.get("event_attributes") or {}
        document = (attributes.get("object") or {}).get("object_id")
        if not isinstance(row.get("action_name"), str):
            raise BadEvent(
                f"{where}: `action_name` is {row.get('action_name')!r}, expected a string"
            )
        if not isinstance(document, str):
            raise BadEvent(
                f"{where}: `event_attributes.object.object_id` is {document!r}, expected a string"
            )
        position = (attributes.get("position") or {}).get("ordinal")
        yield Event(
            action=row["action_name"],
            document=document,
            time=parse_time(row.get("timestamp"), where),
            position=None if position is None else int(position),
            weight=float(attributes.get("weight", 1.0)),
            id=row.get("event_id"),
            user=row.get("user_id") or row.get("client_id") or None,
            search=row.get("query_id"),
        )


def time_to_json(time: datetime) -> str:
    """ISO 8601 in UTC, as UBI wants it; to the microsecond where there is one."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def search_to_json(search: LoggedSearch) -> dict[str, Any]:
    """The inverse of `read_searches`; without a user, `client_id` is empty, which reads as nobody."""
    row: dict[str, Any] = {
        "query_id": search.id,
        "user_query": search.query,
        "client_id": search.user or "",
        "timestamp": time_to_json(search.time),
        "query_attributes": dict(search.attributes),
    }
    if search.user:
        row["user_id"] = search.user
    if search.shown:
        row["query_response_hit_ids"] = list(search.shown)
    return row


def event_to_json(event: Event) -> dict[str, Any]:
    """The inverse of `read_events`. History needs a time: BadEvent where there is none."""
    if event.time is None:
        raise BadEvent(f"Event.time: found None for {event.document!r}, expected when it was")
    attributes: dict[str, Any] = {"object": {"object_id": event.document, "object_id_field": "_id"}}
    if event.position is not None:
        attributes["position"] = {"ordinal": event.position}
    if event.weight != 1.0:
        attributes["weight"] = event.weight
    row: dict[str, Any] = {
        "action_name": event.action,
        "timestamp": time_to_json(event.time),
        "event_attributes": attributes,
    }
    named = {"query_id": event.search, "client_id": event.user, "user_id": event.user}
    row |= {key: value for key, value in named.items() if value}
    if event.id is not None:
        row["event_id"] = event.id
    return row
