"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.refusing import remember_json

Index = Annotated[
    Path, typer.Argument(metavar="DIR", show_default=False, help="The folder of the index.")
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        callback=remember_json,
        is_eager=True,
        help="Print JSON, errors included (those on standard error).",
    ),
]
Foresight = Annotated[
    bool,
    typer.Option(
        "--foresight/--no-foresight", help="Trees tell the policy what each depth may bring."
    ),
]
DRAWN: Final = 40.0
"""`EngineConfig.drawn` as it is by default; help shouldn't need to load the engine."""
Drawn = Annotated[
    float,
    typer.Option(
        min=0.0,
        metavar="N",
        help="Documents that plans may draw in the mean where the budget is below; what is least probably "
        "wanted is dropped before ranking. 0: nothing is.",
    ),
]
