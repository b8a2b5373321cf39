"""`ltrr learn`: turn the log into better plans and a better ranking."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import Index, Json
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

if TYPE_CHECKING:
    from engine import EngineConfig, LearnReport

group = typer.Typer()


@group.command("learn")
def learn(
    folder: Index,
    stage: Annotated[
        bool,
        typer.Option("--stage", help="Keep it as a snapshot that waits for ltrr promote."),
    ] = False,
    json: Json = False,
) -> None:
    """Learn from everything recorded since the last time.

    Clicks teach the memory of queries, the taste of users, what is popular, how
    deep each generator is asked and, once there are enough of them, the ranker.
    A new ranker replaces the old one only where held-out clicks do not speak
    against it.

    With [bold]--stage[/] searches go on as before until [bold]ltrr promote[/] has
    compared the two on what is served meanwhile. Learning without it makes a staged
    snapshot outdated.

    [dim]ltrr learn build/music[/]
    """
    with opened(folder) as engine:
        waited = engine.staged
        report = engine.learn(stage=stage, progress=watched())
        outdated = sorted(set(waited) - set(engine.staged))
        config = engine.config
    if json:
        print_json(report)
        return
    console = screen()
    if not report.searches and not report.events:
        console.print("Nothing new to learn: no search or event since the last time.")
    else:
        console.print(
            f"Learnt from {counted(report.searches, 'search')} and "
            f"{counted(report.events, 'event')} in {duration(report.seconds)}"
        )
        print_facts(console, _facts(report, config))
    if report.staged is not None:
        console.print(f"Staged as snapshot {report.staged}; searches go on as before.")
        print_next(console, "After more searches:", command("ltrr", "promote", str(folder)))
    elif outdated:
        listed = ", ".join(map(str, outdated))
        console.print(f"Outdated by this: staged snapshot {listed}; it can't be promoted any more.")


def _facts(report: LearnReport, config: EngineConfig) -> dict[str, str]:
    facts = {
        "time": f"walked in {counted(report.chunks, config.chunk)}, each learnt on the state "
        "before it",
        "plans": f"{counted(report.rounds, 'round')} taught how deep to ask each generator",
        "ranker": f"{report.ranker}; {report.verdict}",
    }
    if not math.isnan(report.candidates_mean):
        facts["budget"] = (
            f"{report.candidates_mean:.1f} candidates a search in the mean, {config.budget:g} wanted"
        )
    facts["price"] = (
        f"one more candidate is drawn where it is worth more than {report.price:.3g} clicks"
        if report.price
        else "none: searches stay within the budget at any depth"
    )
    if report.ignored:
        listed = ", ".join(f"{action} {count:,}" for action, count in report.ignored.items())
        facts["ignored"] = f"{listed} (no weight in EngineConfig.rewards: kept, taught nothing)"
    return facts
