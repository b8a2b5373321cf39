"""OpenTelemetry spans, one a stage, where the library is present.

The engine times its stages one after the other and tells at the end, so spans are made afterwards,
laid end to end from the beginning of the search.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.util import find_spec

from engine import Response

PRESENT = find_spec("opentelemetry") is not None
WHOLE = "total"


def trace_search(response: Response, headers: Mapping[str, str]) -> None:
    """A span for the search, below the caller's where `traceparent` names it, and one a stage."""
    if not PRESENT:
        return
    from opentelemetry import propagate, trace

    tracer = trace.get_tracer("ltrr")
    end = time.time_ns()
    start = end - round(response.timings.get(WHOLE, 0.0) * 1e6)
    parent = propagate.extract(dict(headers))
    span = tracer.start_span("search", context=parent, start_time=start)
    if span.is_recording():
        span.set_attribute("ltrr.impression_id", response.impression_id)
        span.set_attribute("ltrr.candidates", response.candidates)
        span.set_attribute("ltrr.notes", list(response.notes))
        above = trace.set_span_in_context(span)
        at = start
        for stage, ms in response.timings.items():
            if stage == WHOLE:
                continue
            inner = tracer.start_span(stage, context=above, start_time=at)
            if stage in response.plan:
                inner.set_attribute("ltrr.depth", response.plan[stage])
            at += round(ms * 1e6)
            inner.end(at)
    span.end(end)
