"""Routes that answer: search, why an item is missing."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from starlette.responses import Response as HttpResponse

from engine import Context, Response
from engine.plain import plain
from service.answers import as_json, search_to_json
from service.documented import ANSWERS
from service.schemas import MissingIn, SearchIn
from service.serving import Serving
from service.tracing import trace_search


def search_routes(serving: Serving) -> APIRouter:
    """`/v1/search`, `/v1/missing`."""
    router = APIRouter(tags=["search"])
    engine = serving.engine

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

        began = time.perf_counter()
        response = await serving.search(work)
        took = (time.perf_counter() - began) * 1000.0
        serving.metrics.searched(response)
        trace_search(response, request.headers)
        return as_json(search_to_json(response, took))

    @router.post("/v1/missing", responses=ANSWERS["missing"])
    async def missing(body: MissingIn) -> HttpResponse:
        """Why an item is not among the first k: unknown, filtered out, found by no generator, cut by
        the depth its generators were asked for, pruned before ranking, or outranked."""
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
