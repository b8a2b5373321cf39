"""The app: routes around one engine, which is closed when the server stops."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from anyio import to_thread
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import LtrrError, SearchEngine
from engine.talking import Decides
from service.changing import changing_routes
from service.chatting import chat_routes
from service.dialogue import Manager
from service.feedback import feedback_routes
from service.guarding import Guard
from service.learning import Learner
from service.metrics import Metrics
from service.problems import add_handlers
from service.searching import search_routes
from service.serving import Serving
from service.settings import Settings
from service.simulating import Simulation, Simulator
from service.watching import watching_routes

PAGE = Path(__file__).parent / "page"
WARM = 8
"""Titles searched for before the server says that it is ready: compiled code and pages of files."""


def create_app(
    engine: SearchEngine,
    settings: Settings | None = None,
    *,
    manager: Decides | None = None,
    simulator: Simulator | None = None,
) -> FastAPI:
    """An ASGI app that owns `engine` from now on and closes it at its end. `manager` leads conversations, by
    several threads at a time; None: the index's own, where it has one."""
    settings = settings or Settings()
    metrics = Metrics()
    learner = Learner(engine, settings.learning, metrics.learnt)
    simulation = None if simulator is None else Simulation(engine, simulator, learner.learn)
    leading = Manager(engine) if manager is None else lambda: manager
    serving = Serving(engine, settings, leading, learner, metrics, simulation)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=_warm, args=(serving,), name="ltrr-warm", daemon=True).start()
        yield
        serving.stopping = True
        await to_thread.run_sync(_close, serving)

    app = FastAPI(
        title="ltrr",
        version=version("ltrr"),
        description="A search engine whose retrieval learns: search, say what was clicked, learn.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    add_handlers(app)
    for router in (search_routes, chat_routes, feedback_routes, changing_routes, watching_routes):
        app.include_router(router(serving))

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    app.add_middleware(Measured, metrics=metrics)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["content-type", "authorization"],
        )
    app.add_middleware(Guard, settings=settings)
    return app


class Measured:
    """ASGI middleware that counts requests by route and status, and how long they took."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            # Only names of routes: a path as it came could be anything.
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, status).inc()
            self._metrics.latency.labels(route).observe(time.perf_counter() - began)


def _warm(serving: Serving) -> None:
    engine = serving.engine
    try:
        step = max(engine.state.catalog.rows // WARM, 1)
        for _, document in engine.state.catalog.documents(
            range(0, engine.state.catalog.rows, step)
        ):
            engine.preview(document.title[: engine.config.max_query_chars], k=10)
        serving.manager()
    except LtrrError:
        logging.getLogger(__name__).exception("warming up failed")
    # From now on: while code is compiled, an answer in time would be an empty one.
    if serving.settings.search_ms is not None:
        engine.config = replace(engine.config, search_ms=serving.settings.search_ms)
    serving.ready = True


def _close(serving: Serving) -> None:
    if serving.simulation is not None:
        serving.simulation.stop()
    # A process apart is ended by `close`; a thread is waited for, so that it has its log to the end.
    if serving.settings.learning == "here":
        serving.learner.stop(serving.settings.stop_s)
    serving.engine.close()
