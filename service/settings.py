"""What a server allows, and to whom."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from engine.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and rights of a server.

    `host`: the address listened on; without a `token` it must be of the loopback. `token`: what
    `Authorization: Bearer` must carry on routes that change the index; None: nobody is asked, since
    nobody else can connect. `names`: further names by which the server may be called (`Host`), for
    a reverse proxy. `origins`: of pages elsewhere that may call it (CORS); none by default.

    `body`: bytes of a request; `query`: characters; `k`: results; `batch`: documents, ids or events in
    one request; `turns`: of a conversation. `search_ms`: time after which a search asks no further
    generator and answers with what it has; None: as the index is configured. `workers`: searches at
    a time; `waiting`: those in a queue beyond which more are turned away (503). `learning`: "apart"
    in a process of its own, "here" in a thread; `stop_s`: seconds given to requests at the end.
    """

    host: str = "127.0.0.1"
    token: str | None = None
    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    body: int = 1_000_000
    query: int = 500
    k: int = 100
    batch: int = 500
    turns: int = 50
    search_ms: float | None = 200.0
    workers: int = 2
    waiting: int = 256
    learning: Literal["apart", "here"] = "apart"
    stop_s: int = 10

    def __post_init__(self) -> None:
        for name in ("body", "query", "k", "batch", "turns", "workers", "waiting", "stop_s"):
            if getattr(self, name) < 1:
                raise BadInput(f"Settings.{name}: found {getattr(self, name)}, expected at least 1")
        if self.token is not None and len(self.token) < 16:
            raise BadInput(
                f"Settings.token: found {len(self.token)} characters, expected at least 16; "
                "`python -c 'import secrets; print(secrets.token_urlsafe())'` makes one"
            )
        if self.token is None and not is_loopback(self.host):
            raise BadInput(
                f"Settings.host: found {self.host!r} without a token. Whoever reaches the server could "
                "change the index; give a token, or listen on 127.0.0.1"
            )

    @property
    def allowed_hosts(self) -> tuple[str, ...] | None:
        """The names a request may call the server by; None: any, where a token protects it."""
        if self.token is not None and not self.names:
            return None
        return ("localhost", "127.0.0.1", "[::1]", self.host, *self.names)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
