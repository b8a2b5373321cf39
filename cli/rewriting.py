"""`ltrr rewrite`: the queries of conversations as they would stand alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import Json
from cli.output import counted, duration, print_facts, print_json, screen

group = typer.Typer()


@group.command("rewrite")
def rewrite(
    queries: Annotated[
        Path,
        typer.Argument(
            metavar="QUERIES",
            show_default=False,
            help="JSON lines (.gz too) of example_id, context (a list of role and text) and query.",
        ),
    ],
    model: Annotated[
        Path,
        typer.Option(
            "--model", "-m", metavar="DIR", show_default=False,
            help="The folder of a trained rewriter.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", show_default=False,
            help="Where the rewrites go, in lines of id, rewrite and confidence.",
        ),
    ],
    json: Json = False,
) -> None:  # fmt: skip
    """Rewrite the queries of conversations so that they can be understood alone.

    A query that stands alone already, or of which the rewriter isn't sure, comes
    back as it is.

    [dim]ltrr rewrite asked.jsonl --model build/conversation --out rewritten.jsonl[/]
    """
    from conversation.rewrite_files import read_asked, write_rewrites
    from conversation.rewriter import Rewriter
    from engine.pretrained_words import pretrained_words

    rewriter = Rewriter.load(model, pretrained_words())
    asked = list(read_asked(queries))
    started = time.perf_counter()
    made = rewriter.rewrite_many([(row.turns, row.query) for row in asked])
    seconds = time.perf_counter() - started
    write_rewrites(out, [row.id for row in asked], made)
    changed = sum(row.query != one.text for row, one in zip(asked, made, strict=True))
    if json:
        print_json({"out": out, "queries": len(asked), "rewritten": changed, "seconds": seconds})
        return
    console = screen()
    console.print(f"Rewrote {queries} into {out} in {duration(seconds)}")
    print_facts(
        console,
        {
            "read": counted(len(asked), "query").replace("querys", "queries"),
            "rewritten": f"{changed:,}",
        },
    )
