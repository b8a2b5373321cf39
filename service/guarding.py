"""What is refused before a route sees it: too much, from elsewhere, or when nothing can be taken on.

A page of another site can't read an answer (no CORS), but its browser would send a request; so
whatever could change something must come from our own origin or from no browser at all. A name that
somebody else's DNS lets point here is refused by `Host`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import problem
from service.settings import Settings

HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
        b"form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
TOO_LARGE = 413
READING = ("GET", "HEAD", "OPTIONS")


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope["method"], headers)
        if refused is not None:
            status, detail = refused
            errors = [{"field": detail.partition(":")[0].lower(), "detail": detail}]
            await problem(status, detail, errors)(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._app(scope, self._counted(receive), sending)

    def _refused(self, method: str, headers: Headers) -> tuple[int, str] | None:
        settings, host = self._settings, headers.get("host", "")
        allowed = settings.allowed_hosts
        name = (
            host if host.startswith("[") and "]:" not in host else host.rpartition(":")[0] or host
        )
        if allowed is not None and name not in allowed:
            return HTTPStatus.MISDIRECTED_REQUEST, "Host: this server is not called by that name"
        origin = headers.get("origin")
        if method not in READING and origin is not None:
            own = origin.partition("://")[2] == host
            if not own and origin not in settings.origins:
                return HTTPStatus.FORBIDDEN, "Origin: pages of other sites may not call this server"
        length = headers.get("content-length", "0")
        if not length.isdigit():
            return HTTPStatus.BAD_REQUEST, "Content-Length: expected a number"
        if int(length[:20]) > settings.body:
            return TOO_LARGE, f"body: more than {settings.body:,} bytes"
        return None

    def _counted(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        left = self._settings.body

        async def receiving() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(TOO_LARGE, f"body: more than {self._settings.body:,} bytes")
            return message

        return receiving
