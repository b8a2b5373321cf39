"""Search and the missing item over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.service.conftest import searched


def test_a_search_tells_who_found_what(client: TestClient) -> None:
    found = searched(client, "silver river", k=5, explain=True)
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4, 5]
    assert all(hit["sources"] for hit in found["hits"])
    asked = {step["generator"]: step["depth"] for step in found["explanation"]["steps"]}
    assert asked == found["plan"]
    assert len(found["impression_id"]) == 32
    assert found["ext"]["ubi"]["query_id"] == found["impression_id"]
    assert found["took"] > 0
    assert found["notes"] == []


def test_a_preview_is_the_same_answer_without_an_impression(client: TestClient) -> None:
    before = client.get("/v1/about").json()["searches"]
    preview = searched(client, "night train", preview=True)
    assert preview["impression_id"] is None
    assert "ext" not in preview
    assert client.get("/v1/about").json()["searches"] == before
    assert searched(client, "night train")["hits"] == preview["hits"]


def test_filters_and_turns_reach_the_engine(client: TestClient) -> None:
    context = {
        "user": "ann",
        "filters": {"type": ["artist"]},
        "turns": [{"speaker": "user", "text": "hello"}],
    }
    found = searched(client, "", context=context)
    assert {hit["type"] for hit in found["hits"]} == {"artist"}


def test_a_query_id_of_ubi_becomes_the_impression(client: TestClient) -> None:
    ubi = {"query_id": "b1e7b6a2-1111-4222-8333-444455556666", "client_id": "ann", "more": 1}
    found = searched(client, ext={"ubi": ubi})
    assert found["impression_id"] == ubi["query_id"]
    again = client.post("/v1/search", json={"query": "love", "ext": {"ubi": ubi}})
    assert again.status_code == 422
    assert again.json()["errors"][0]["field"] == "impression_id"


def test_why_an_item_is_missing(client: TestClient) -> None:
    def reason(**body: object) -> str:
        answer = client.post("/v1/missing", json={"query": "silver river", "k": 1, **body})
        assert answer.status_code == 200
        return str(answer.json()["reason"])

    top = searched(client, "silver river", k=1)["hits"][0]["id"]
    assert reason(item=top) == "shown"
    assert reason(item="nothing") == "unknown"
    assert reason(item=top, context={"filters": {"type": "artist"}}) == "filtered"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": "x" * 501}, "query"),
        ({"query": "x", "k": 101}, "k"),
        ({"query": "x", "k": 0}, "k"),
        ({"query": "x", "k": "many"}, "k"),
        ({"query": "a\x00b"}, "query"),
        ({}, "query"),
        ({"query": "x", "kk": 3}, "kk"),
        ({"query": "x", "context": {"filters": {"type": 3}}}, "context.filters.type"),
        ({"query": "x", "context": {"time": "9999-12-31T23:59:59"}}, "context.time"),
        ({"query": "x", "context": {"attributes": {"a": [1]}}}, "context.attributes.a"),
        ({"query": "x", "ext": {"ubi": {"query_id": "guess"}}}, "ext.ubi.query_id"),
        (
            {"query": "x", "context": {"turns": [{"speaker": "user", "text": ""}] * 51}},
            "context.turns",
        ),
    ],
)
def test_what_cannot_be_searched_names_the_field(
    client: TestClient, body: dict[str, object], field: str
) -> None:
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    assert problem["title"]
    assert problem["errors"][0]["field"].startswith(field)
    assert field.split(".")[-1] in problem["detail"]
