"""`ltrr promote`: put in force what was learnt with `--stage`, where it is surely not worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.arguments import Index, Json
from cli.opening import opened
from cli.output import counted, print_facts, print_json, screen

if TYPE_CHECKING:
    from engine import Comparison

group = typer.Typer()

REFUSED = 3
"""Exit code where nothing was promoted; 2 is for what cannot be read at all."""
USED = {
    "joint": "by whole plans (joint propensity)",
    "marginal": "by each generator's own depth (marginal propensity)",
}


@group.command("promote")
def promote(
    folder: Index,
    snapshot: Annotated[
        int | None,
        typer.Option(
            metavar="N", show_default=False, help="Which staged snapshot \\[default: the latest]."
        ),
    ] = None,
    allow: Annotated[
        float,
        typer.Option(
            help="The loss allowed, in reward a search for the plans, in nDCG@10 for the ranker."
        ),
    ] = 0.0,
    json: Json = False,
) -> None:
    """Put in force what [bold]ltrr learn --stage[/] learnt, if it is not worse.

    It is compared with what is in force on the searches served since it was
    learnt, which neither has seen: its plans by what they would have earned, its
    ranker by the order of what was clicked. It goes live only where the lower
    bounds of both 95% intervals are at least minus what is allowed. Where not,
    or where the log can't tell, nothing changes and the exit code is 3.

    [dim]ltrr promote build/music[/]
    """
    with opened(folder) as engine:
        verdict = engine.promote(snapshot, allow=allow)
    if json:
        print_json(verdict)
    else:
        console = screen()
        head = f"snapshot {verdict.snapshot} in place of {verdict.over}"
        console.print(
            Text(f"Promoted: {head}", style="bold green")
            if verdict.promoted
            else Text(f"Refused: {head}; {verdict.over} stays in force", style="bold red")
        )
        facts = {
            "judged on": f"{counted(verdict.searches, 'search')} served since it was learnt",
            "policy": _told(verdict.policy),
            "ranker": _told(verdict.ranker),
            "because": verdict.reason,
        }
        print_facts(console, facts if verdict.cure is None else facts | {"cure": verdict.cure})
    if not verdict.promoted:
        raise typer.Exit(REFUSED)


def _told(one: Comparison) -> str:
    if one.same:
        return "does what the one in force does"
    if one.difference is None or one.low is None or one.high is None:
        return "no answer"
    told = (
        f"{one.difference:+.4f} {one.measure}, {one.low:+.4f} to {one.high:+.4f} with 95% confidence, "
        f"on {counted(one.searches, 'search')}"
    )
    return told if one.weights is None else f"{told}, {USED[one.weights]}"
