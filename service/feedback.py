"""`/v1/feedback`: what was done with what a search showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Discriminator, Tag
from starlette.responses import Response as HttpResponse

from engine import Event
from engine.feedback import Timed, checked_feedback
from service.answers import as_json
from service.documented import ANSWERS
from service.schemas import SHORT, FeedbackIn
from service.serving import Serving
from service.ubi import EXAMPLE, UbiEventIn


def _form(body: Any) -> str:
    if isinstance(body, list):
        return "events"
    keys = body if isinstance(body, dict) else ()
    return "short" if "impression_id" in keys or "action_name" not in keys else "ubi"


Forms = Annotated[
    Annotated[FeedbackIn, Tag("short")]
    | Annotated[UbiEventIn, Tag("ubi")]
    | Annotated[list[UbiEventIn], Tag("events")],
    Discriminator(_form),
]
EXAMPLES: dict[str, Any] = {
    "short": {
        "summary": "The short form",
        "value": SHORT,
    },
    "ubi": {"summary": "A UBI 1.3 event as it is", "value": EXAMPLE},
    "events": {"summary": "Several UBI events", "value": [EXAMPLE]},
}


def feedback_routes(serving: Serving) -> APIRouter:
    """`/v1/feedback`."""
    router = APIRouter(tags=["feedback"])

    @router.post("/v1/feedback", responses=ANSWERS["feedback"])
    async def feedback(body: Annotated[Forms, Body(openapi_examples=EXAMPLES)]) -> HttpResponse:
        """Record what was done with results. Durable once answered, and all or nothing: an event of a
        search that is not ours, or on a document it did not show, refuses the whole request. The
        same event again is no error and counts once. UBI events about no document, or whose action
        has no weight in the index's settings, are passed over and counted in `ignored`."""
        ignored: Counter[str] = Counter()
        if isinstance(body, FeedbackIn):
            events = [
                *(Event("click", id) for id in body.clicks),
                *(e.event() for e in body.events),
            ]
            about = {body.impression_id: events}
        else:
            about = _by_search(body if isinstance(body, list) else [body], serving, ignored)
        serving.check_batch("events", sum(map(len, about.values())) + ignored.total())
        new = await serving.write(lambda: record_events(serving, about))
        return as_json({"recorded": new, "ignored": dict(ignored)})

    return router


def _by_search(
    sent: Sequence[UbiEventIn], serving: Serving, ignored: Counter[str]
) -> dict[str, list[Event]]:
    """The events by the search they answer to; `ignored` counts the rest by action."""
    about: dict[str, list[Event]] = {}
    for one in sent:
        events = about.setdefault(one.query_id, [])
        event = one.event()
        if event is None or event.action not in serving.engine.config.rewards:
            ignored[one.action_name] += 1
        else:
            events.append(event)
    return about


def record_events(serving: Serving, about: Mapping[str, Sequence[Event]]) -> int:
    """Record events by the search they answer to; how many were new."""
    config, log, now = serving.engine.config, serving.engine.log, serving.engine.config.clock()
    ready: list[Timed] = []
    for impression, events in about.items():
        ready += checked_feedback(log, config, impression, (), events, now)
    new = log.add_events(ready)
    for event, _ in ready:
        serving.metrics.events.labels(event.action).inc()
    return new
