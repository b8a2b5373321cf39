"""Who may change the index."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus

from fastapi import Request

from service.problems import Problem
from service.settings import Settings, is_loopback

SCHEME = "bearer "


def admin_only(settings: Settings) -> Callable[[Request], None]:
    """A dependency that lets through who has the token; without one, who is on this machine."""

    def check(request: Request) -> None:
        if settings.token is None:
            # A Unix socket gives no address: who may connect is said by its file.
            if request.client is not None and not is_loopback(request.client.host):
                raise Problem(HTTPStatus.FORBIDDEN, "without a token, this machine only")
            return
        given = request.headers.get("authorization", "")
        token = given[len(SCHEME) :] if given.lower().startswith(SCHEME) else ""
        if not secrets.compare_digest(token.encode(), settings.token.encode()):
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "Authorization: expected `Bearer` with the server's token",
                field="authorization",
                headers={"www-authenticate": "Bearer"},
            )

    return check
