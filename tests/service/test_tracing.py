"""One span a stage, below the caller's."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient


def test_a_search_is_traced(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))

    def tracer(name: str, **_: Any) -> trace.Tracer:
        return provider.get_tracer(name)

    monkeypatch.setattr(trace, "get_tracer", tracer)
    above = "0af7651916cd43dd8448eb211c80319c"
    head = {"traceparent": f"00-{above}-b7ad6b7169203331-01"}
    found = client.post("/v1/search", json={"query": "love"}, headers=head).json()
    spans = {span.name: span for span in kept.get_finished_spans()}
    assert set(spans) == {"search", *found["timings"]} - {"total"}
    whole = spans.pop("search")
    assert whole.attributes is not None
    assert whole.attributes["ltrr.impression_id"] == found["impression_id"]
    assert format(whole.context.trace_id, "032x") == above
    for stage in spans.values():
        assert stage.parent is not None
        assert stage.parent.span_id == whole.context.span_id
        assert stage.start_time is not None
        assert stage.end_time is not None
        assert stage.end_time >= stage.start_time
