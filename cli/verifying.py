"""`ltrr verify`: is every file of an index what was written?"""

from __future__ import annotations

import typer

from cli.arguments import Index, Json
from cli.output import print_json, screen

DAMAGED = 1

group = typer.Typer()


@group.command("verify")
def verify(folder: Index, json: Json = False) -> None:
    """Read every file of the index in force and compare it with its checksum.

    Opening an index checks small files by their checksums and large ones by their
    size, so that it takes seconds whatever the catalogue. The index may be in use
    meanwhile. Exit code 1 where something is damaged.

    [dim]ltrr verify build/music[/]
    """
    from engine.snapshots import damaged

    found = damaged(folder)
    if json:
        print_json({"sound": not found, "damaged": found})
    else:
        console = screen()
        for line in found:
            console.print(line, markup=False)
        if not found:
            console.print("Every file is what was written.")
    if found:
        raise typer.Exit(DAMAGED)
