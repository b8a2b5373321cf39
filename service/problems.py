"""What goes wrong, as RFC 9457 problem details that name the field."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from engine.errors import BadInput, LockedError, LtrrError

MEDIA = "application/problem+json"
TAGS = ("short", "ubi", "events")
"""Names of alternatives of a body, which stand at the beginning of a validation error's place."""
_FIELD = re.compile(
    r"(?:Context|Event|Document|Turn)?\.?([a-z_]+)(?:\[['\"]?([^\]'\"]*)['\"]?\])?: "
)
_SAID_OF_ALL = {"feedback": "events.document"}
_INSIDE = {"Context": "context", "Event": "events", "Document": "documents"}


class Problem(LtrrError):
    """An answer that is a problem: `status`, and `errors` by field."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.field = field
        self.headers = headers


def problem(
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response; `errors`: {"field", "detail"} each."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        content["errors"] = list(errors)
    return JSONResponse(content, status, dict(headers or {}), MEDIA)


def field_of(message: str) -> str | None:
    """The request's field that an engine's message is about: "Context.user: …" is context.user."""
    found = _FIELD.match(message)
    if found is None:
        return None
    if found[1] in _SAID_OF_ALL:
        return _SAID_OF_ALL[found[1]]
    owner = message.split(".", 1)[0]
    parts = [_INSIDE.get(owner, ""), found[1], found[2] or ""]
    return ".".join(part for part in parts if part)


def add_handlers(app: FastAPI) -> None:
    """Let every error of an app be answered as a problem."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(LtrrError, _refused)
    app.add_exception_handler(Exception, _failed)


async def _invalid(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"field": _place(one["loc"]), "detail": str(one["msg"])} for one in found]
    first = errors[0] if errors else {"field": "body", "detail": "cannot be read"}
    return problem(422, _printable(f"{first['field']}: {first['detail']}"), errors)


def _place(loc: Sequence[str | int]) -> str:
    inner = [str(part) for part in loc[2 if loc[1:2] and loc[1] in TAGS else 1 :]]
    return _printable(".".join(inner) or str(loc[0]))


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


async def _http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return problem(500, "internal error")
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def _refused(_: Request, error: Exception) -> Response:
    message = _printable(str(error))
    if isinstance(error, Problem):
        named = [{"field": error.field, "detail": message}] if error.field else []
        return problem(error.status, message, named, error.headers)
    if isinstance(error, BadInput):
        field = field_of(message)
        return problem(422, message, [{"field": field, "detail": message}] if field else [])
    return problem(503 if isinstance(error, LockedError) else 500, message)


async def _failed(request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error(
        "%s %s failed", request.method, request.url.path, exc_info=error
    )
    return problem(500, f"internal error ({type(error).__name__}); the server's log says more")
