"""`ltrr demo`: see retrieval learn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

group = typer.Typer()


@group.command("demo")
def demo(
    catalog: Annotated[
        Path | None,
        typer.Option(
            metavar="CORPUS",
            show_default=False,
            help="Any catalogue in BEIR's layout instead of the demo's own music.",
        ),
    ] = None,
    searches: Annotated[int, typer.Option(min=60, help="Searches the listeners make.")] = 3000,
    seed: Annotated[int, typer.Option(help="The same seed repeats the demo.")] = 0,
    embeddings: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Keeps embeddings, so that the next run starts sooner."),
    ] = Path("build/embeddings"),
) -> None:
    """Listeners search a music catalogue, and retrieval learns from what they click.

    Example: [bold]ltrr demo --searches 1000 --seed 7[/]
    """
    # Imported here so that --help need not wait for the engine.
    from demo.run import run

    run(searches=searches, seed=seed, catalog=catalog, embeddings=embeddings)
