"""`ltrr serve`: the engine behind HTTP, with a page."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import Index
from cli.demo import KEPT
from cli.output import problems, watched

if TYPE_CHECKING:
    from engine import SearchEngine
    from service import Told

group = typer.Typer()

KEPT_ALIVE_S = 75
"""Longer than proxies keep an idle connection, so that they close it and not the server."""
MISSING = (
    "ltrr serve needs the extra `serve` ({missing} is not installed): pip install 'ltrr[serve]'"
)


@group.command("serve")
def serve(
    folder: Index,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Make the demo's catalogue in DIR if nothing is there, and let listeners be simulated.",
        ),
    ] = False,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any that is free.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="LTRR_TOKEN",
            show_default=False,
            help="What changing the index takes (Authorization: Bearer …). Without one the server "
            "listens on the loopback only. Better given as LTRR_TOKEN than here.",
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            show_default=False, help="Another name the server is called by; again for more."
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            show_default=False,
            help="A page elsewhere that may call the server, as https://shop.example; again for more.",
        ),
    ] = None,
    search_ms: Annotated[
        float, typer.Option(min=1.0, help="Time after which a search answers with what it has.")
    ] = 200.0,
    workers: Annotated[int, typer.Option(min=1, help="Searches at a time.")] = 2,
    embeddings: Annotated[
        Path, typer.Option(metavar="DIR", help="With --demo: keeps embeddings for the next time.")
    ] = KEPT,
) -> None:
    """Serve an index over HTTP, with a page where one sees it learn.

    POST /v1/search, /v1/feedback, /v1/chat, /v1/learn and more; /openapi.json says
    how. Stops at Ctrl-C: searches that are running are answered first.

    [dim]ltrr serve build/served --demo[/]

    [dim]LTRR_TOKEN=… ltrr serve build/music --host 0.0.0.0 --port 80[/]
    """
    try:
        import uvicorn

        from service import Settings, create_app
    except ModuleNotFoundError as e:
        raise ImportError(MISSING.format(missing=e.name)) from e
    settings = Settings(
        host=host, token=token, names=tuple(name or ()), origins=tuple(origin or ()),
        search_ms=search_ms, workers=workers,
    )  # fmt: skip
    # Before the index is read or made: whoever cannot listen need not wait to be told.
    listening = _listening(host, port)
    engine = _engine(folder, demo, embeddings)
    app = create_app(engine, settings, simulator=listeners if demo else None)
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=settings.stop_s, timeout_keep_alive=KEPT_ALIVE_S,
    )  # fmt: skip
    server = uvicorn.Server(config)
    at = f"[{host}]" if ":" in host else host
    # Ctrl-C is how it ends: uvicorn has answered what was running, and raises it again afterwards.
    with suppress(KeyboardInterrupt):
        # Whoever follows the address at once waits a moment instead of being refused.
        listening.listen(config.backlog)
        typer.echo(
            f"Serving {folder} at http://{at}:{listening.getsockname()[1]}/ (Ctrl-C stops it)"
        )
        server.run(sockets=[listening])
    typer.echo("Stopped; what was recorded and learnt is kept.")


def _listening(host: str, port: int) -> socket.socket:
    from engine import BadInput

    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by its connections. Else the second packet of an answer waits for the client to
    # acknowledge the first, which takes it up to 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((host, port))
    except OSError as e:
        listening.close()
        raise BadInput(
            f"{host}, port {port}: cannot be listened on ({e.strerror}); choose another with --host "
            "and --port (0: any port that is free)"
        ) from e
    return listening


def _engine(folder: Path, demo: bool, embeddings: Path) -> SearchEngine:
    from engine import SearchEngine

    if not demo or (folder / "CURRENT").exists():
        with problems().status(f"opening {folder}") if watched() else nullcontext():
            return SearchEngine.load(folder)
    problems().print(
        f"Indexing the demo's catalogue into {folder}: a minute, this first time.", soft_wrap=True
    )
    from demo.catalogue import catalogue
    from demo.conversation import shipped_model
    from demo.run import engine_config

    return SearchEngine.build(
        list(catalogue()),
        folder=folder,
        config=engine_config(0, 1),
        embeddings=embeddings,
        conversation=shipped_model(),
        progress=watched(),
    )


def listeners(
    engine: SearchEngine,
    searches: int,
    learn: Callable[[], object],
    tell: Callable[[Told], None],
    stopped: Callable[[], bool],
) -> None:
    """The demo's listeners, told of in the service's words."""
    from demo.visiting import visit
    from service import Told, ToldRound

    seed = int.from_bytes(os.urandom(4), "little")
    for now in visit(engine, searches, learn, seed=seed):
        rounds = tuple(ToldRound(r.until, r.success, r.candidates, r.regret) for r in now.rounds)
        tell(Told(now.stage, now.done, searches, rounds, now.found))
        if stopped():
            return
