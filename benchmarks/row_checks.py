"""What one row of a data set must hold, and which of the others it may name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeGuard

from engine.errors import BadEvent
from engine.formats import parse_time

Found = tuple[str, str]
"""Kind of problem, and what it is in words."""
NAMES: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}


@dataclass(slots=True)
class Known:
    """Ids seen so far, and when each search was (None where its time can't be read).

    `latest`: time of the row before in the file at hand.
    """

    documents: set[str] = field(default_factory=set)
    queries: set[str] = field(default_factory=set)
    searches: dict[str, datetime | None] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    latest: datetime | None = None


def check_document(row: Mapping[str, Any], known: Known) -> Iterator[Found]:
    """A row of corpus.jsonl."""
    yield from _new_id(row, "_id", known.documents)
    if row.get("title") is None and row.get("text") is None:
        yield "missing field", "has neither `title` nor `text`"
    for key in ("title", "text"):
        yield from _optional(row, key, str)
    yield from _optional(row, "metadata", dict)


def check_text(row: Mapping[str, Any], known: Known) -> Iterator[Found]:
    """A row of queries.jsonl."""
    yield from _new_id(row, "_id", known.queries)
    yield from _required(row, "text")
    yield from _optional(row, "metadata", dict)


def check_search(row: Mapping[str, Any], known: Known) -> Iterator[Found]:
    """A row of ubi_queries.jsonl."""
    yield from _new_id(row, "query_id", known.searches)
    yield from _required(row, "user_query")
    for key in ("client_id", "user_id"):
        yield from _optional(row, key, str)
    time, found = _time(row)
    yield from found
    yield from _in_order(time, known)
    id = row.get("query_id")
    if isinstance(id, str):
        known.searches.setdefault(id, time)
    yield from _optional(row, "query_response_hit_ids", list)
    hits = row.get("query_response_hit_ids")
    for hit in hits if isinstance(hits, list) else ():
        if not isinstance(hit, str):
            yield "wrong value", f"`query_response_hit_ids` holds {hit!r}, expected strings"
        elif hit not in known.documents:
            yield "unknown document", f"no document has the id {hit!r} (query_response_hit_ids)"
    yield from _optional(row, "query_attributes", dict)
    attributes = row.get("query_attributes")
    if isinstance(attributes, dict) and attributes.get("policy") is not None:
        yield from _policy(attributes["policy"])


def check_event(row: Mapping[str, Any], known: Known) -> Iterator[Found]:
    """A row of ubi_events.jsonl."""
    yield from _required(row, "action_name")
    for key in ("client_id", "user_id", "query_id", "event_id"):
        yield from _optional(row, key, str)
    time, found = _time(row)
    yield from found
    early = list(_in_order(time, known))
    yield from early
    if isinstance(row.get("event_id"), str):
        yield from _new_id(row, "event_id", known.events)
    search = row.get("query_id")
    if isinstance(search, str):
        asked = known.searches.get(search)
        if search not in known.searches:
            yield "unknown query", f"no search has the query_id {search!r}"
        elif time is not None and asked is not None and time < asked and not early:
            yield (
                "unordered timestamp",
                f"timestamp {row['timestamp']!r} is before that of its search {search!r}",
            )
    yield from _attributes(row.get("event_attributes"), known)


def _attributes(attributes: object, known: Known) -> Iterator[Found]:
    if not isinstance(attributes, dict):
        kind = "missing field" if attributes is None else "wrong value"
        yield kind, f"`event_attributes` is {_shown(attributes)}, expected an object"
        return
    item = attributes.get("object")
    document = item.get("object_id") if isinstance(item, dict) else None
    if not isinstance(document, str) or not document:
        kind = "missing field" if document in (None, "") else "wrong value"
        yield kind, f"`event_attributes.object.object_id` is {document!r}, expected a string"
    elif document not in known.documents:
        yield "unknown document", f"no document has the id {document!r}"
    position = attributes.get("position")
    if position is not None:
        ordinal = position.get("ordinal") if isinstance(position, dict) else position
        if ordinal is not None and not (_whole(ordinal) and ordinal >= 1):
            yield (
                "wrong value",
                f"`event_attributes.position.ordinal` is {ordinal!r}, expected a whole number "
                "from 1, the top of the page",
            )
    weight = attributes.get("weight", 1.0)
    if not _number(weight):
        yield "wrong value", f"`event_attributes.weight` is {weight!r}, expected a finite number"


def _policy(policy: object) -> Iterator[Found]:
    where = "query_attributes.policy"
    if not isinstance(policy, dict):
        yield "wrong value", f"`{where}` is {_shown(policy)}, expected an object"
        return
    depths = policy.get("depths")
    if not isinstance(depths, dict) or not all(_whole(d) and d >= 0 for d in depths.values()):
        kind = "missing field" if depths is None else "wrong value"
        yield kind, f"`{where}.depths` is {depths!r}, expected a depth of at least 0 per generator"
    chance = policy.get("propensity")
    if not _number(chance) or not 0 < chance <= 1:
        kind = "missing field" if chance is None else "wrong value"
        yield kind, f"`{where}.propensity` is {chance!r}, expected a probability above 0"


def _new_id(
    row: Mapping[str, Any], key: str, seen: set[str] | dict[str, datetime | None]
) -> Iterator[Found]:
    """A required id that no row before has; it is then known, but for those of searches."""
    id = row.get(key)
    if not isinstance(id, str) or not id:
        kind = "missing field" if id in (None, "") else "wrong value"
        yield kind, f"`{key}` is {id!r}, expected a non-empty string"
        return
    if id in seen:
        yield "duplicate id", f"`{key}` {id!r} was there before"
    if isinstance(seen, set):
        seen.add(id)


def _required(row: Mapping[str, Any], key: str) -> Iterator[Found]:
    value = row.get(key)
    if not isinstance(value, str):
        kind = "missing field" if value is None else "wrong value"
        yield kind, f"`{key}` is {_shown(value)}, expected a string"


def _optional(row: Mapping[str, Any], key: str, kind: type) -> Iterator[Found]:
    value = row.get(key)
    if value is not None and not isinstance(value, kind):
        yield "wrong value", f"`{key}` is {_shown(value)}, expected {NAMES[kind]}"


def _time(row: Mapping[str, Any]) -> tuple[datetime | None, tuple[Found, ...]]:
    value = row.get("timestamp")
    if not isinstance(value, str):
        kind = "missing field" if value is None else "wrong value"
        return None, ((kind, f"`timestamp` is {_shown(value)}, expected ISO 8601"),)
    try:
        return parse_time(value, ""), ()
    except BadEvent:
        return None, (("wrong value", f"`timestamp` {value!r} is not ISO 8601"),)


def _in_order(time: datetime | None, known: Known) -> Iterator[Found]:
    """Compared with the row just before, so that one row out of place is one problem."""
    if time is None:
        return
    if known.latest is not None and time < known.latest:
        yield (
            "unordered timestamp",
            f"timestamp {time.isoformat()} is before that of the row above, "
            f"{known.latest.isoformat()}",
        )
    known.latest = time


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
