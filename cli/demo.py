"""`ltrr demo`: see retrieval learn; `ltrr demo-study`: measure it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import Foresight

group = typer.Typer()

Catalog = Annotated[
    Path | None,
    typer.Option(
        metavar="CORPUS",
        show_default=False,
        help="Any catalogue in BEIR's layout instead of the demo's own music.",
    ),
]
Embeddings = Annotated[
    Path,
    typer.Option(metavar="DIR", help="Keeps embeddings, so that the next run starts sooner."),
]
KEPT = Path("build/embeddings")


@group.command("demo")
def demo(
    catalog: Catalog = None,
    searches: Annotated[int, typer.Option(min=60, help="Searches the listeners make.")] = 3000,
    seed: Annotated[int, typer.Option(help="The same seed repeats the demo.")] = 0,
    embeddings: Embeddings = KEPT,
    picture: Annotated[
        Path, typer.Option(metavar="PNG", help="Where the learning curve is drawn.")
    ] = Path("build/demo/learning.png"),
) -> None:
    """Listeners search a music catalogue, and retrieval learns from what they click.

    Example: [bold]ltrr demo --searches 1000 --seed 7[/]
    """
    # Imported here so that --help need not wait for the engine.
    from demo.run import run

    run(searches=searches, seed=seed, catalog=catalog, embeddings=embeddings, picture=picture)


@group.command("demo-study")
def demo_study(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Report and picture.")] = Path(
        "build/study"
    ),
    searches: Annotated[int, typer.Option(min=500, help="Searches from cold, per seed.")] = 10_000,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds from `--seed` on.")] = 5,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 0,
    tested: Annotated[int, typer.Option(min=10, help="Further searches, compared on.")] = 2000,
    budget: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Candidates a search in the mean, second tries included; the further searches are "
            "all first tries and draw a few fewer.",
        ),
    ] = 24.0,
    jobs: Annotated[int, typer.Option(min=1, help="Seeds at a time, a process each.")] = 2,
    foresight: Foresight = True,
    catalog: Catalog = None,
    embeddings: Embeddings = KEPT,
) -> None:
    """The demo over several seeds: every system by every intent, with intervals, and the regret to
    the best fixed plan known in advance.

    Example: [bold]ltrr demo-study --seeds 2 --searches 3000[/]
    """
    from demo.study import study

    study(
        range(seed, seed + seeds),
        searches,
        tested,
        out,
        catalog=catalog,
        embeddings=embeddings,
        jobs=jobs,
        budget=budget,
        foresight=foresight,
    )
