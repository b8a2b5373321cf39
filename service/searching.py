"""Routes that answer: search, a turn of a conversation, why an item is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response as HttpResponse

from engine import Context, Response
from engine.plain import plain
from service.answers import as_json, search_to_json
from service.dialogue import SEARCH, told
from service.documented import ANSWERS
from service.schemas import ChatIn, MissingIn, SearchIn
from service.serving import Serving
from service.tracing import trace_search


def search_routes(serving: Serving) -> APIRouter:
    """`/v1/search`, `/v1/chat`, `/v1/missing`."""
    router = APIRouter(tags=["search"])
    engine = serving.engine

    async def timed(work: Callable[[], Response], request: Request) -> dict[str, Any]:
        began = time.perf_counter()
        response = await serving.search(work)
        took = (time.perf_counter() - began) * 1000.0
        serving.metrics.searched(response)
        trace_search(response, request.headers)
        return search_to_json(response, took)

    @router.post("/v1/search", responses=ANSWERS["search"])
    async def search(body: SearchIn, request: Request) -> HttpResponse:
        """Results, best first, each with the generators that found it and the rank each gave it."""
        context = _with_client(body.context.context(), body.ext.ubi.client_id)
        serving.check(body.query, context, body.k)

        def work() -> Response:
            if body.preview:
                return engine.preview(body.query, context, body.k, explain=body.explain)
            return engine.search(
                body.query, context, body.k, explain=body.explain,
                impression_id=body.ext.ubi.query_id,
            )  # fmt: skip

        return as_json(await timed(work, request))

    @router.post("/v1/chat", responses=ANSWERS["chat"])
    async def chat(body: ChatIn, request: Request) -> HttpResponse:
        """What to do next for a user's turn, and what came of the searches among it."""
        context = body.context.context()
        serving.check(body.text, context, body.k, "text")
        actions = await serving.search(lambda: serving.dialogue.next_actions(body.text, context))
        results = [
            await timed(_search_of(serving, action.arguments, body.text, context, body.k), request)
            for action in actions
            if action.name == SEARCH
        ]
        turn = told([engine.document(hit["id"]) for one in results for hit in one["hits"]])
        return as_json({"actions": plain(actions), "results": results, "turn": plain(turn)})

    @router.post("/v1/missing", responses=ANSWERS["missing"])
    async def missing(body: MissingIn) -> HttpResponse:
        """Why an item is not among the first k: unknown, filtered out, found by no generator, cut by
        the depth its generators were asked for, or outranked."""
        context = body.context.context()
        serving.check(body.query, context, body.k)
        why = await serving.search(
            lambda: engine.why_missing(body.query, body.item, context, body.k)
        )
        return as_json(plain(why))

    return router


def _with_client(context: Context, client: str | None) -> Context:
    if client is None or context.user is not None:
        return context
    return Context(
        client, context.turns, context.time, context.locale, context.filters, context.attributes
    )


def _search_of(
    serving: Serving, arguments: Any, text: str, context: Context, k: int
) -> Callable[[], Response]:
    query = str(arguments.get("query", text))[: serving.settings.query]
    return lambda: serving.engine.search(query, context, k)
