"""Whatever fits the OpenAPI document, or just doesn't: no 500, and answers as documented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from starlette.testclient import TestClient

from engine import EngineConfig, SearchEngine
from service import Settings, create_app
from tests.conftest import WordHashes, songs
from tests.service.conftest import asking, searched, wait_for

LEARNING = ["/v1/learn"]
"""Takes seconds each time, and one field that says whether to wait."""
TRIES = 25


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Of an app of its own: calling through a schema ends the app's life in the end."""
    folder = tmp_path / "index"
    config = EngineConfig(budget=30.0, ranker_window=0)
    engine = SearchEngine.build(songs(), folder=folder, config=config, encoder=WordHashes())
    app = create_app(engine, Settings(learning="here", search_ms=None))
    with asking(app) as opened:
        wait_for(lambda: opened.get("/readyz").status_code == 200)
        searched(opened)
        yield opened


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_no_request_makes_it_fail(client: TestClient, mode: GenerationMode) -> None:
    """Of every route: no 500, and statuses, media types and bodies as documented."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", client.app, headers=HEADERS)
    tried: set[str] = set()
    for found in schema.exclude(path=LEARNING).get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and operation.method.upper() == "GET":
            continue  # nothing can be wrong with a request that has no part

        @settings(max_examples=TRIES, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case: Any) -> None:
            tried.add(case.path)
            response = case.call(headers=HEADERS)
            case.validate_response(response, excluded_checks=BY_DESIGN)

        answered()
    assert {"/v1/search", "/v1/feedback", "/v1/chat", "/v1/documents"} <= tried


HEADERS = {"host": "127.0.0.1"}
BY_DESIGN = [
    # A made-up impression is refused though it fits the schema; a number is read as text's number.
    schemathesis.checks.positive_data_acceptance,
    schemathesis.checks.negative_data_rejection,
]
