"""`ltrr validate`: what is wrong with a data set, before anything is built on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.arguments import Json
from cli.output import counted, print_facts, print_json, screen, watched

if TYPE_CHECKING:
    from benchmarks.validation import ValidationReport

group = typer.Typer()

LISTED = 20
LISTED_AS_JSON = 10_000
WRONG = 1
"""Exit code where the data set has problems; 2 is for what cannot be read at all."""


@group.command("validate")
def validate(
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            show_default=False,
            help="A folder with corpus.jsonl and, where there are any, queries.jsonl, qrels/, "
            "ubi_queries.jsonl and ubi_events.jsonl (.gz too).",
        ),
    ],
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            show_default=False,
            help=f"Problems named per kind, 0 for all \\[default: {LISTED}, "
            f"{LISTED_AS_JSON:,} with --json].",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check a data set: every dangling id, missing field and unordered timestamp.

    All problems come in one report, by file and line. The exit code is 0 where
    there are none, 1 where there are.

    [dim]ltrr validate data/music[/]
    """
    from benchmarks.validation import validate as check

    if limit is None:
        limit = LISTED_AS_JSON if json else LISTED
    report = check(dataset, limit=limit or None, progress=watched())
    if json:
        print_json(
            {
                "dataset": dataset, "ok": report.ok, "total": report.total,
                "counts": report.counts, "rows": report.rows, "problems": report.problems,
            }
        )  # fmt: skip
    else:
        _print(dataset, report)
    if not report.ok:
        raise typer.Exit(WRONG)


def _print(dataset: Path, report: ValidationReport) -> None:
    console = screen()
    if report.ok:
        console.print(f"{dataset}: nothing wrong", soft_wrap=True)
    else:
        says = f"{dataset}: {counted(report.total, 'problem')}"
        console.print(Text(says, style="bold red"), soft_wrap=True)
    print_facts(console, {name: counted(rows, "line") for name, rows in report.rows.items()})
    for kind, count in report.counts.items():
        listed = [problem for problem in report.problems if problem.kind == kind]
        console.print(Text.assemble("\n", (kind, "bold"), f" ({count:,})"))
        for problem in listed:
            console.print(f"  {problem}", soft_wrap=True)
        if count > len(listed):
            console.print(f"  … and {count - len(listed):,} more (--limit 0 names all)")
