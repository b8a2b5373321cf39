"""`ltrr search`: ask, see where each result comes from, and why another is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import Index, Json
from cli.explanation import print_explanation, print_missing
from cli.opening import opened
from cli.output import command, print_json, print_next, screen
from cli.results import print_results, response_to_json

if TYPE_CHECKING:
    from engine import Context

group = typer.Typer()


@group.command("search")
def search(
    folder: Index,
    query: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY", show_default=False, help='Words; "" gives what is popular.'
        ),
    ],
    user: Annotated[
        str | None, typer.Option("--user", "-u", show_default=False, help="Who is searching.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many results.")] = 10,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            "-f",
            metavar="FIELD=VALUE",
            show_default=False,
            help="Only documents with this value; again for another field (and) or value (or).",
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="ISO", show_default=False, help="When the search is made \\[default: now]."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Draw the way from the query to the results.")
    ] = False,
    item: Annotated[
        str | None,
        typer.Option(
            metavar="ID", show_default=False, help="Tell why this item is not in the results."
        ),
    ] = None,
    interleave: Annotated[
        bool,
        typer.Option("--interleave", help="Share the page with the latest staged snapshot."),
    ] = False,
    json: Json = False,
) -> None:
    """Search an index.

    Each result comes with the generators that found it and the rank each gave
    it. The search is logged, so that [bold]ltrr feedback[/] can say what was clicked;
    asking about an --item is not. With --interleave, what is in force and what
    [bold]ltrr learn --stage[/] learnt draft the page in turns, and [bold]ltrr interleaving[/]
    tells from the clicks which of them is better.

    [dim]ltrr search build/music "melancholic post rock" -k 5[/]

    [dim]ltrr search build/music believer --filter type=track --user ann --explain[/]

    [dim]ltrr search build/music believer --item t42[/]
    """
    text, context = " ".join(query), _context(user, filters or (), time)
    with opened(folder) as engine:
        if item is not None:
            missing = engine.why_missing(text, item, context, k)
            if json:
                print_json(missing)
            else:
                print_missing(screen(), missing, engine.document(item))
            return
        if interleave:
            engine.interleave()
        response = engine.search(text, context, k, explain=explain or json)
    if json:
        print_json(response_to_json(response))
        return
    console = screen()
    if response.explanation is not None:
        print_explanation(console, response, response.explanation)
    else:
        print_results(console, response)
    for note in response.notes:
        console.print(f"Note: {note}", style="yellow")
    if response.hits:
        print_next(
            console,
            "Clicked?",
            command(
                "ltrr", "feedback", str(folder), response.impression_id,
                "--click", response.hits[0].id,
            ),
        )  # fmt: skip


def _context(user: str | None, filters: Sequence[str], time: str | None) -> Context:
    from engine import BadContext, Context

    wanted: dict[str, tuple[str, ...]] = {}
    for given in filters:
        field, equals, value = given.partition("=")
        if not (field and equals and value):
            raise BadContext(f"--filter: found {given!r}, expected FIELD=VALUE, as in type=track")
        wanted[field] = (*wanted.get(field, ()), value)
    try:
        when = None if time is None else datetime.fromisoformat(time)
    except ValueError as e:
        raise BadContext(
            f"--time: found {time!r}, expected ISO 8601, as in 2026-03-31T18:00:00+02:00"
        ) from e
    return Context(user=user, filters=wanted, time=when)
