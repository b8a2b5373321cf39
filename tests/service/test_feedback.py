"""Feedback over HTTP: our short form, and UBI events as they are."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from service.ubi import EXAMPLE
from tests.service.conftest import searched


def event(search: dict[str, Any], place: int = 0, action: str = "click") -> dict[str, Any]:
    return {
        **EXAMPLE,
        "action_name": action,
        "query_id": search["impression_id"],
        "event_attributes": {
            "object": {"object_id": search["hits"][place]["id"], "object_id_field": "_id"},
            "position": {"ordinal": place + 1, "x": 12},
            "session_id": "s",
        },
        "message": "anything",
    }


def test_the_short_form(client: TestClient) -> None:
    search = searched(client)
    first, second = (hit["id"] for hit in search["hits"][:2])
    body = {
        "impression_id": search["impression_id"],
        "clicks": [first],
        "events": [{"action": "skip", "document": second}],
    }
    assert client.post("/v1/feedback", json=body).json() == {"recorded": 2, "ignored": {}}
    assert client.post("/v1/feedback", json=body).json() == {"recorded": 0, "ignored": {}}


def test_one_ubi_event_and_several(client: TestClient) -> None:
    search, other = searched(client), searched(client, "silver river")
    assert client.post("/v1/feedback", json=event(search)).json()["recorded"] == 1
    sent = [event(search, 1), event(other, 0, "play"), event(other, 2, "item_hover")]
    left = {"action_name": "page_exit", "query_id": other["impression_id"]}
    answer = client.post("/v1/feedback", json=[*sent, left])
    assert answer.json() == {"recorded": 2, "ignored": {"item_hover": 1, "page_exit": 1}}
    assert client.get("/v1/about").json()["events"] == 3


def test_all_or_nothing_across_searches(client: TestClient) -> None:
    search = searched(client)
    strange = {**event(search), "query_id": "0" * 32}
    answer = client.post("/v1/feedback", json=[event(search), strange])
    assert answer.status_code == 422
    assert client.get("/v1/about").json()["events"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"impression_id": "f" * 32}, "impression_id"),
        ({"clicks": ["not shown"]}, "events.document"),
        ({"events": [{"action": "dance", "document": "a0"}]}, "events.action"),
        ({"events": [{"action": "click", "document": "t0-0", "weight": 1e9}]}, "events.0.weight"),
        ({"events": [{"action": "click", "document": "t0-0", "position": 0}]}, "events.0.position"),
        ({"clicks": ["x"] * 501}, "events"),
        ({"klicks": []}, "klicks"),
    ],
)
def test_what_cannot_be_recorded_names_the_field(
    client: TestClient, change: dict[str, Any], field: str
) -> None:
    search = searched(client, "ArtistA0", k=100)
    assert "a0" in [hit["id"] for hit in search["hits"]]
    body = {"impression_id": search["impression_id"], **change}
    answer = client.post("/v1/feedback", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_a_ubi_event_needs_its_query(client: TestClient) -> None:
    answer = client.post("/v1/feedback", json={"action_name": "click", "event_attributes": {}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query_id"
