"""Limits, other sites, names, health, metrics, the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from tests.service.conftest import asking, searched


def test_a_body_has_a_limit(make_client: Callable[..., TestClient]) -> None:
    client = make_client(body=1_000)
    large = client.post("/v1/search", json={"query": "x" * 2_000})
    assert large.status_code == 413
    assert large.json()["errors"][0]["field"] == "body"

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    head = {"content-type": "application/json"}
    assert client.post("/v1/search", content=pieces(), headers=head).status_code == 413


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[1]", b""])
def test_what_is_no_json_is_refused(client: TestClient, content: bytes) -> None:
    head = {"content-type": "application/json"}
    answer = client.post("/v1/search", content=content, headers=head)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_pages_of_other_sites_are_refused(make_client: Callable[..., TestClient]) -> None:
    client = make_client(origins=("https://shop.example",))

    def status(origin: str) -> tuple[int, str | None]:
        answer = client.post("/v1/search", json={"query": "love"}, headers={"origin": origin})
        return answer.status_code, answer.headers.get("access-control-allow-origin")

    assert status("https://evil.example") == (403, None)
    assert status("http://127.0.0.1")[0] == 200
    assert status("https://shop.example") == (200, "https://shop.example")


def test_cors_is_closed_by_default(client: TestClient) -> None:
    answer = client.get("/v1/about", headers={"origin": "https://shop.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_name_that_is_not_ours_is_refused(client: TestClient) -> None:
    for host, status in (
        ("evil.example", 421), ("127.0.0.1:80", 200), ("[::1]:80", 200), ("localhost", 200)
    ):  # fmt: skip
        assert client.get("/healthz", headers={"host": host}).status_code == status


def test_from_another_machine_nothing_is_changed(client: TestClient) -> None:
    answer = asking(client.app, ("192.0.2.1", 1234)).post("/v1/learn")
    assert answer.status_code == 403


def test_health_and_unknown_paths(client: TestClient) -> None:
    assert client.get("/readyz").status_code in (200, 503)
    assert client.get("/healthz").json() == {"status": "alive"}
    missing = client.get("/nowhere")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_metrics(client: TestClient) -> None:
    searched(client)
    text = client.get("/metrics").text
    assert 'ltrr_searches_total{logged="yes"} 1.0' in text
    assert 'ltrr_requests_total{route="/v1/search",status="200"} 1.0' in text
    assert "ltrr_documents 150.0" in text


def test_beliefs_and_traffic(client: TestClient) -> None:
    cold = client.get("/v1/policy").json()
    assert cold["kinds"]
    for _ in range(3):
        search = searched(client, "silver river")
        first = {"impression_id": search["impression_id"], "clicks": [search["hits"][1]["id"]]}
        client.post("/v1/feedback", json=first)
    client.post("/v1/learn", json={"wait": True})
    belief = client.get("/v1/policy").json()
    assert belief["version"] == 1
    generators = belief["kinds"][0]["generators"]
    assert [one["generator"] for one in generators] == belief["generators"]
    assert all(len(one["gains"]) == len(belief["ladder"]) for one in generators)
    assert belief["examination"][0] == 1.0
    (stretch,) = client.get("/v1/traffic").json()["stretches"]
    assert stretch["searches"] == 3
    assert stretch["clicked"] == 1.0
    assert stretch["mrr"] == 0.5
    assert set(stretch["depths"]) == set(belief["generators"])


def test_the_page_asks_no_other_host(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in ("style.css", "main.js"):
        assert client.get(f"/page/{name}").status_code == 200
    assert "//" not in page.text.replace("http://www.w3.org", "")


def test_openapi_has_examples(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/v1/search", "/v1/feedback", "/v1/chat", "/v1/documents", "/v1/policy"):
        assert path in paths
    text = client.get("/openapi.json").text
    assert '"examples"' in text
    assert "application/problem+json" in text
