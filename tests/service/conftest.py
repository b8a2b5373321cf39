"""A small engine behind the app, asked without a socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine import EngineConfig, SearchEngine
from service import Settings, create_app
from tests.conftest import WordHashes, songs

BASE = "http://127.0.0.1"


def asking(app: Any, client: tuple[str, int] = ("127.0.0.1", 50_000)) -> TestClient:
    """A client of an app, with a name and an address of the loopback."""
    return TestClient(app, BASE, raise_server_exceptions=False, client=client)


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """`make_client(simulator=…, manager=…, **settings)`; `client.app.state` is not used."""
    opened: list[TestClient] = []

    def make(simulator: Any = None, manager: Any = None, **settings: Any) -> TestClient:
        config = EngineConfig(budget=30.0, ranker_options={"n_estimators": 30})
        engine = SearchEngine.build(
            songs(), folder=tmp_path / f"index{len(opened)}", config=config, encoder=WordHashes()
        )
        chosen = Settings(**{"learning": "here", "search_ms": None, **settings})
        client = asking(create_app(engine, chosen, simulator=simulator, manager=manager))
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()


def wait_for(done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Until something is true."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def searched(client: TestClient, query: str = "love", **more: Any) -> dict[str, Any]:
    """A logged search."""
    response = client.post("/v1/search", json={"query": query, **more})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found
