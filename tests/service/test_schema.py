"""Whatever fits the OpenAPI document, or nearly: no 500, and answers as documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from engine import EngineConfig, SearchEngine
from service import Settings, create_app
from tests.conftest import WordHashes, songs

LIFE = ["/readyz", "/v1/learn"]
"""Ready only once the server runs; learning takes seconds each time, and takes one field."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("schema") / "index"
    config = EngineConfig(budget=30.0, ranker_options={"n_estimators": 5}, hindsight=5)
    engine = SearchEngine.build(songs(), folder=folder, config=config, encoder=WordHashes())
    app = create_app(engine, Settings(learning="here", search_ms=None))
    yield schemathesis.openapi.from_asgi(
        "/openapi.json", app, headers={"host": "127.0.0.1"}
    ).exclude(path=LIFE)
    engine.close()


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_makes_it_fail(case: Any) -> None:
    """Of every route: no 500, and statuses, media types and bodies as documented."""
    case.call_and_validate(
        headers={"host": "127.0.0.1"},
        excluded_checks=[
            # UBI's schema is open, and a search for a made-up impression is refused by design.
            schemathesis.checks.positive_data_acceptance,
            schemathesis.checks.negative_data_rejection,
        ],
    )
