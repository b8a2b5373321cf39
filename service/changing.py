"""Routes that change the index: documents, learning, simulated people. They need the token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Depends
from starlette.responses import Response as HttpResponse

from engine.plain import plain
from service.admin import admin_only
from service.answers import as_json
from service.documented import ANSWERS
from service.problems import Problem
from service.schemas import DocumentsIn, IdsIn, LearnIn, SimulateIn
from service.serving import Serving

NOW, USUAL = LearnIn(), SimulateIn()


def changing_routes(serving: Serving) -> APIRouter:
    """`/v1/documents`, `/v1/learn`, `/v1/simulation`."""
    router = APIRouter(tags=["admin"])
    engine, learner = serving.engine, serving.learner
    admin = [Depends(admin_only(serving.settings))]

    @router.post("/v1/documents", responses=ANSWERS["changed"], dependencies=admin)
    async def add(body: DocumentsIn) -> HttpResponse:
        """Add documents of new ids. Found from now on; to change one, remove it first."""
        serving.check_batch("documents", len(body.documents))
        documents = [document.document() for document in body.documents]

        await serving.aside(lambda: engine.add(documents))
        return as_json({"documents": len(engine)})

    @router.post("/v1/documents/remove", responses=ANSWERS["changed"], dependencies=admin)
    async def remove(body: IdsIn) -> HttpResponse:
        """Remove documents. Gone from now on."""
        serving.check_batch("ids", len(body.ids))
        await serving.aside(lambda: engine.remove(body.ids))
        return as_json({"documents": len(engine)})

    @router.post("/v1/learn", responses=ANSWERS["learn"], dependencies=admin)
    async def learn(body: Annotated[LearnIn, Body()] = NOW) -> HttpResponse:
        """Learn from everything recorded since the last time, beside serving."""
        if body.wait:
            report = await serving.aside(learner.learn)
            return as_json(plain(report))
        if not learner.start():
            raise Problem(HTTPStatus.CONFLICT, "it is learning already")
        return as_json(plain(learner.state), HTTPStatus.ACCEPTED)

    @router.post("/v1/simulation", responses=ANSWERS["learn"], dependencies=admin)
    async def simulate(body: Annotated[SimulateIn, Body()] = USUAL) -> HttpResponse:
        """Let simulated people search, click and the engine learn, where the server offers it."""
        if serving.simulation is None:
            raise Problem(HTTPStatus.NOT_FOUND, "no people are simulated on this server")
        if not serving.simulation.start(body.searches):
            raise Problem(HTTPStatus.CONFLICT, "they are searching already")
        return as_json(plain(serving.simulation.told), HTTPStatus.ACCEPTED)

    return router
