"""Routes of a conversation: a line, and a choice from what was found."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response as HttpResponse

from conversation.base import Action
from conversation.dialogues_file import action_to_json
from engine import BadEvent, Event, Reply
from engine.saying import playing
from engine.talking import reply_to
from service.answers import as_json, search_to_json
from service.documented import ANSWERS
from service.feedback import record_events
from service.problems import Problem, field_of
from service.schemas import ChatIn, ChoiceIn
from service.serving import Serving
from service.tracing import trace_search
from service.turns import turn_out

SEARCH = "search"
"""The action of a line where no dialogue manager decides."""


def chat_routes(serving: Serving) -> APIRouter:
    """`/v1/chat`, `/v1/chat/choice`."""
    router = APIRouter(tags=["conversation"])
    engine = serving.engine

    @router.post("/v1/chat", responses=ANSWERS["chat"])
    async def chat(body: ChatIn, request: Request) -> HttpResponse:
        """What to do next for a user's line, what to say, and what was found. A line is searched for once,
        as it is understood after those before it; not where the user wants no more. Append `turns` to
        `context.turns` of the next line."""
        context, before = body.context.context(), body.context.annotated()
        serving.check(body.text, context, body.k, "text")
        began = time.perf_counter()
        reply = await serving.search(
            lambda: reply_to(engine, body.text, before, context, body.k, serving.manager())
        )
        took = (time.perf_counter() - began) * 1000.0
        if reply.response is not None:
            serving.metrics.searched(reply.response)
            trace_search(reply.response, request.headers)
        return as_json(_reply_to_json(reply, body.text, took))

    @router.post("/v1/chat/choice", responses=ANSWERS["chat"])
    async def choice(body: ChoiceIn) -> HttpResponse:
        """Take a result, as an answer to which one is meant or instead of saying more. Recorded as a click;
        the conversation goes on from the item."""
        document = engine.document(body.item)
        if document is None:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"item: no document has the id {body.item!r}",
                field="item",
            )
        clicked = {body.impression_id: [Event("click", document.id)]}
        try:
            await serving.write(lambda: record_events(serving, clicked))
        except BadEvent as e:
            field = "impression_id" if field_of(str(e)) == "impression_id" else "item"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(e), field=field) from e
        said = playing(document)
        reply = Reply(said.turn.text, None, said.turn.actions, said.about, (said.turn,))
        return as_json(_reply_to_json(reply, "", 0.0))

    return router


def _reply_to_json(reply: Reply, text: str, took: float) -> dict[str, Any]:
    actions = reply.actions or (Action(SEARCH, {"query": text}),)
    return {
        "reply": reply.text,
        "actions": [action_to_json(action) for action in actions],
        "about": [{"id": one.document.id, "text": one.text} for one in reply.about],
        "results": [] if reply.response is None else [search_to_json(reply.response, took)],
        "turns": [turn_out(turn) for turn in reply.turns],
        "notes": list(reply.notes),
    }
