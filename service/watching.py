"""Routes that tell: how it is, what it believes, how searches have fared."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response as HttpResponse

from engine.beliefs import beliefs, typical_queries
from engine.plain import plain
from engine.traffic import read_traffic
from service.answers import as_json
from service.documented import ANSWERS
from service.metrics import CONTENT_TYPE
from service.problems import Problem
from service.serving import Serving

SUGGESTED = 6
"""Titles that the page suggests to search for."""


def watching_routes(serving: Serving) -> APIRouter:
    """`/v1/policy`, `/v1/traffic`, `/v1/learn`, `/v1/simulation`, `/v1/about`, health, metrics."""
    router = APIRouter(tags=["watching"])
    engine = serving.engine

    @router.get("/v1/policy", responses=ANSWERS["read"])
    async def policy() -> HttpResponse:
        """What the bandit believes: per kind of query and generator, how much of a click each depth
        would bring, and how deep it plans to ask; and how far down a page people look."""

        def read() -> dict[str, Any]:
            state = engine.state
            queries = typical_queries(state, engine.log, engine.config.clock())
            return {
                "policy": state.policy.name,
                "version": state.version,
                "ranker": (state.ranker or state.fusion).name,
                "price": state.price,
                "budget": engine.config.budget,
                "candidates_expected": state.expected,
                "ladder": state.ladder.tolist(),
                "generators": list(state.retrievers),
                "kinds": plain(beliefs(state, queries)),
                "examination": state.surfaces.examination.curve.tolist(),
            }

        return as_json(plain(await serving.aside(read)))

    @router.get("/v1/traffic", responses=ANSWERS["read"])
    async def traffic() -> HttpResponse:
        """How the searches in the log have fared, in stretches of equally many."""
        rewarded = [action for action, weight in engine.config.rewards.items() if weight > 0]
        stretches = await serving.aside(
            lambda: read_traffic(engine.log.path, tuple(engine.state.retrievers), rewarded)
        )
        return as_json({"stretches": plain(stretches)})

    @router.get("/v1/learn", responses=ANSWERS["read"])
    async def learning() -> HttpResponse:
        """Whether it is learning, and what the last times brought."""
        return as_json(plain(serving.learner.state))

    @router.get("/v1/simulation", responses=ANSWERS["read"])
    async def simulation() -> HttpResponse:
        """How far the simulated people are."""
        if serving.simulation is None:
            raise Problem(HTTPStatus.NOT_FOUND, "no people are simulated on this server")
        return as_json(plain(serving.simulation.told))

    @router.get("/v1/about", responses=ANSWERS["read"])
    async def about() -> HttpResponse:
        """What is served here."""

        def read() -> dict[str, Any]:
            state, catalog = engine.state, engine.state.catalog
            codes = Counter(catalog.types[catalog.alive].tolist())
            types = {n: codes[code] for code, n in enumerate(catalog.type_names) if codes[code]}
            step = max(catalog.rows // SUGGESTED, 1)
            documents = catalog.documents(range(0, catalog.rows, step))
            logged, events = engine.log.last()
            return {
                "documents": len(engine),
                "types": types,
                "generators": list(state.retrievers),
                "actions": dict(engine.config.rewards),
                "suggested": [d.title for _, d in documents if d.title][:SUGGESTED],
                "simulated": serving.simulation is not None,
                "token": serving.settings.token is not None,
                "limits": {"query": serving.settings.query, "k": serving.settings.k},
                "searches": logged,
                "events": events,
                "version": state.version,
            }

        return as_json(await serving.aside(read))

    @router.get("/healthz", responses=ANSWERS["read"])
    async def healthz() -> HttpResponse:
        """Whether the process lives."""
        return as_json({"status": "alive"})

    @router.get("/readyz", responses=ANSWERS["read"])
    async def readyz() -> HttpResponse:
        """Whether searches should come here: after the first ones are warmed up, until the end."""
        if not serving.ready or serving.stopping:
            why = "stopping" if serving.stopping else "warming up"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, why)
        return as_json({"status": "ready"})

    @router.get("/metrics", responses=ANSWERS["read"], include_in_schema=False)
    async def metrics() -> HttpResponse:
        """For Prometheus."""
        text = await serving.aside(lambda: serving.metrics.text(engine))
        return HttpResponse(text, media_type=CONTENT_TYPE)

    return router
