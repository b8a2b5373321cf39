"""Documents, learning, simulated people, and who may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from engine import BadInput, SearchEngine
from service import Settings, Told, ToldRound
from tests.service.conftest import searched, wait_for

TOKEN = "a-token-of-sixteen-or-more"  # noqa: S105 (of this test alone)
NEW = {"_id": "t:new", "title": "Zanzibar Dawn", "metadata": {"type": "track", "popularity": 1}}


def test_documents_come_and_go(client: TestClient) -> None:
    assert client.post("/v1/documents", json={"documents": [NEW]}).json() == {"documents": 151}
    assert searched(client, "zanzibar dawn")["hits"][0]["id"] == "t:new"
    twice = client.post("/v1/documents", json={"documents": [NEW]})
    assert twice.status_code == 422
    assert client.post("/v1/documents/remove", json={"ids": ["t:new"]}).json()["documents"] == 150
    assert "t:new" not in [hit["id"] for hit in searched(client, "zanzibar dawn")["hits"]]
    assert client.post("/v1/documents/remove", json={"ids": ["t:new"]}).status_code == 422


def test_learning_changes_what_is_answered(client: TestClient) -> None:
    search = searched(client, "that song about the train")
    wanted = search["hits"][-1]["id"]
    clicked = {"impression_id": search["impression_id"], "clicks": [wanted]}
    client.post("/v1/feedback", json=clicked)
    report = client.post("/v1/learn", json={"wait": True}).json()
    assert (report["searches"], report["events"]) == (1, 1)
    again = searched(client, "that song about the train")["hits"]
    assert again[0]["id"] == wanted
    assert again[0]["sources"]["memory"]["rank"] == 1
    assert "memory" not in search["hits"][-1]["sources"]
    state = client.get("/v1/learn").json()
    assert not state["running"]
    assert [one["version"] for one in state["history"]] == [1]


def test_learning_in_the_background(client: TestClient) -> None:
    assert client.post("/v1/learn").status_code == 202
    wait_for(lambda: client.get("/v1/learn").json()["version"] == 1)


def test_simulated_people(make_client: Callable[..., TestClient]) -> None:
    def simulator(
        engine: SearchEngine,
        searches: int,
        learn: Callable[[], object],
        tell: Callable[[Told], None],
        stopped: Callable[[], bool],
    ) -> None:
        for done in range(searches):
            engine.search("love")
            tell(Told("searching", done + 1, searches))
        learn()
        tell(Told("learning", searches, searches, (ToldRound(searches, {"ltrr": 0.5}, 9.0, {}),)))

    client = make_client(simulator=simulator)
    assert client.post("/v1/simulation", json={"searches": 10}).status_code == 202
    wait_for(lambda: client.get("/v1/simulation").json()["stage"] == "done")
    told = client.get("/v1/simulation").json()
    assert (told["done"], told["total"]) == (10, 10)
    assert told["rounds"][0]["success"] == {"ltrr": 0.5}
    assert client.get("/v1/about").json()["simulated"]


def test_a_simulation_that_fails_says_so(make_client: Callable[..., TestClient]) -> None:
    def simulator(*_: object) -> None:
        raise ValueError("no listeners today")

    client = make_client(simulator=simulator)
    client.post("/v1/simulation")
    wait_for(lambda: client.get("/v1/simulation").json()["stage"] == "failed")
    assert "no listeners today" in client.get("/v1/simulation").json()["problem"]


def test_without_a_simulator_nobody_is_simulated(client: TestClient) -> None:
    assert client.post("/v1/simulation").status_code == 404


CHANGING = ("/v1/documents", "/v1/documents/remove", "/v1/learn", "/v1/simulation")


@pytest.mark.parametrize("path", CHANGING)
def test_changing_takes_the_token(make_client: Callable[..., TestClient], path: str) -> None:
    client = make_client(token=TOKEN)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}):
        answer = client.post(path, json={}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    right = client.post(path, json={}, headers={"authorization": f"Bearer {TOKEN}"})
    assert right.status_code != 401
    assert client.post("/v1/search", json={"query": "love"}).status_code == 200


def test_without_a_token_this_machine_only() -> None:
    with pytest.raises(BadInput, match="without a token"):
        Settings(host="0.0.0.0")  # noqa: S104 (refused)
    with pytest.raises(BadInput, match="at least 16"):
        Settings(token="short")  # noqa: S106 (refused)
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        assert Settings(host=host).token is None
