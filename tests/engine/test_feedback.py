"""What is recorded of people's doings, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine import BadDocuments, BadEvent, Event, LoggedSearch, SearchEngine

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)


def test_clicks_get_the_place_they_were_shown_at(engine: SearchEngine) -> None:
    response = engine.search("love")
    engine.feedback(response.impression_id, clicks=[response.hits[2].id])
    (event,) = engine.log.events(0, 10)
    assert (event.document, event.position) == (response.hits[2].id, 3)
    assert event.impression == response.impression_id


def test_the_same_event_counts_once(engine: SearchEngine) -> None:
    response = engine.search("love")
    item = response.hits[0].id
    engine.feedback(response.impression_id, clicks=[item, item])
    engine.feedback(response.impression_id, clicks=[item])
    engine.feedback(response.impression_id, events=[Event("play", item, id="e1")])
    engine.feedback(response.impression_id, events=[Event("play", item, id="e1")])
    assert [e.action for e in engine.log.events(0, 10)] == ["click", "play"]


@pytest.mark.parametrize(
    ("impression", "arguments", "says"),
    [
        ("nobody", {"clicks": ["a1"]}, "no search with the id 'nobody'"),
        (None, {"clicks": ["unseen"]}, "'unseen' was not shown"),
        (None, {"events": [Event("dance", "FIRST")]}, "found 'dance'"),
        (None, {"events": [Event("play", "FIRST", weight=float("nan"))]}, "finite"),
        (None, {"clicks": "a1"}, "expected a list"),
    ],
)
def test_bad_feedback_is_refused_whole(
    engine: SearchEngine, impression: str | None, arguments: dict[str, Any], says: str
) -> None:
    response = engine.search("love")
    first = response.hits[0].id
    events = [
        Event(e.action, first, weight=e.weight) if e.document == "FIRST" else e
        for e in arguments.get("events", [])
    ]
    clicks = arguments.get("clicks", [])
    with pytest.raises(BadEvent, match=says):
        engine.feedback(
            impression or response.impression_id,
            clicks=clicks if isinstance(clicks, str) else [first, *clicks],
            events=events,
        )
    assert engine.log.events(0, 10) == []


def test_history_is_recorded_once(engine: SearchEngine) -> None:
    searches = [LoggedSearch("s1", "love", NOON, user="u", shown=("t1-0",))]
    events = [
        Event("click", "t1-0", NOON, search="s1", user="u"),
        Event("listen", "t2-0", NOON, user="u", weight=300.0, id="l1"),
    ]
    assert engine.record(searches, events) == (1, 2)
    assert engine.record(searches, events) == (0, 0)


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (Event("click", "nobody", NOON), "'nobody'"),
        (Event("click", "t1-0", NOON, search="s9"), "no search has the id 's9'"),
        (Event("click", "t1-0"), "history needs a time"),
        (Event("click", "t1-0", NOON, weight=float("inf")), "finite"),
    ],
)
def test_bad_history_is_refused_whole(engine: SearchEngine, event: Event, says: str) -> None:
    with pytest.raises(BadEvent, match=says):
        engine.record([LoggedSearch("s1", "love", NOON)], [Event("click", "t1-0", NOON), event])
    assert engine.log.last() == (0, 0)


def test_unknown_actions_of_history_are_kept_and_teach_nothing(engine: SearchEngine) -> None:
    engine.record([], [Event("hover", "t1-0", NOON, user="u")])
    assert engine.learn().ignored == {"hover": 1}


def test_added_documents_are_found_and_removed_ones_are_gone(engine: SearchEngine) -> None:
    from retrievers.base import Document

    engine.add([Document("new", "Quetzalcoatl Blues", "", "track", {"genre": ["blues"]})])
    assert engine.search("quetzalcoatl blues").hits[0].id == "new"
    engine.remove(["new"])
    assert "new" not in [hit.id for hit in engine.search("quetzalcoatl blues", k=100).hits]
    engine.add([Document("new", "Quetzalcoatl Blues", "", "track", {"genre": ["blues"]})])
    assert engine.search("quetzalcoatl blues").hits[0].id == "new"
    with pytest.raises(BadDocuments, match="duplicate id 'new'"):
        engine.add([Document("other", "Other"), Document("new", "Again")])
    assert engine.document("other") is None
    with pytest.raises(BadDocuments, match="'nobody'"):
        engine.remove(["new", "nobody"])
    assert engine.document("new") is not None
