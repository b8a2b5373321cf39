"""`ltrr export`: the log of an index in formats that others read."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import Index, Json
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


class Format(StrEnum):
    """The names of `benchmarks.export.FORMATS`, known without importing it."""

    UBI = "ubi"
    OPEN_BANDIT = "open-bandit"


@group.command("export")
def export(
    folder: Index,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER", show_default=False, help="Where the files go."
        ),
    ],
    format: Annotated[
        Format,
        typer.Option(
            help="ubi: a data set with corpus, searches and events, each plan with its "
            "propensity. open-bandit: plans.npz, bandit feedback for off-policy evaluation."
        ),
    ] = Format.UBI,
    json: Json = False,
) -> None:
    """Export what an index was asked, what it did, and what people did then.

    Nothing is locked: it may be in use meanwhile. A UBI export can be checked with
    [bold]ltrr validate[/] and imported into another index.

    [dim]ltrr export build/music --out exported[/]
    """
    from benchmarks.export import FORMATS

    started = time.perf_counter()
    written = FORMATS[format](folder, out, progress=watched())
    seconds = time.perf_counter() - started
    if json:
        print_json({"folder": out, "format": format.value, "rows": written, "seconds": seconds})
        return
    console = screen()
    console.print(f"Exported {folder} into {out} in {duration(seconds)}")
    print_facts(console, {name: counted(rows, "row") for name, rows in written.items()})
    if format is Format.UBI:
        print_next(console, "Next:", command("ltrr", "validate", str(out)))
