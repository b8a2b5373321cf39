"""`ltrr import`: searches and events from elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import Index, Json
from cli.history import History
from cli.opening import opened
from cli.output import (
    command,
    counted,
    duration,
    print_facts,
    print_json,
    print_next,
    screen,
    watched,
)

group = typer.Typer()


@group.command("import")
def import_history(
    folder: Index,
    log: Annotated[
        list[Path],
        typer.Argument(
            metavar="LOG",
            show_default=False,
            help="A folder with ubi_queries and ubi_events (.jsonl or .jsonl.gz), or such files.",
        ),
    ],
    skip_unknown: Annotated[
        bool,
        typer.Option(
            "--skip-unknown", help="Leave out events on documents the index does not have."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Import searches and events from elsewhere, in UBI's layout.

    All or nothing; what is imported twice is counted once. Events without a
    query_id are the history of their user. Nothing is learnt before [bold]ltrr learn[/].

    [dim]ltrr import build/music logs/[/]

    [dim]ltrr import build/music ubi_queries.jsonl.gz ubi_events.jsonl.gz[/]
    """
    started = time.perf_counter()
    with opened(folder) as engine:
        history = History(log, engine.document if skip_unknown else None)
        searches, events = history.into(engine, watched())
    seconds = time.perf_counter() - started
    known = history.searches - searches, history.events - events
    if json:
        print_json(
            {
                "searches": {"read": history.searches, "new": searches, "known": known[0]},
                "events": {"read": history.events, "new": events, "known": known[1]},
                "skipped": history.skipped,
                "seconds": seconds,
            }
        )
        return
    console = screen()
    console.print(
        f"Imported {counted(searches, 'new search')} and {counted(events, 'new event')} in "
        f"{duration(seconds)}"
    )
    facts: dict[str, str] = {}
    if any(known):
        parts = [counted(n, noun) for n, noun in zip(known, ("search", "event"), strict=True) if n]
        facts["known"] = f"{' and '.join(parts)} there already, counted once"
    if history.skipped:
        facts["skipped"] = f"{counted(history.skipped, 'event')} on unknown documents"
    print_facts(console, facts)
    print_next(console, "Next:", command("ltrr", "learn", str(folder)))
