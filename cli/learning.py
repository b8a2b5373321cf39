"""`ltrr learn`: turn the log into better plans and a better ranking."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import typer

from cli.arguments import Index, Json
from cli.opening import opened
from cli.output import counted, duration, print_facts, print_json, screen, watched

if TYPE_CHECKING:
    from engine import EngineConfig, LearnReport

group = typer.Typer()


@group.command("learn")
def learn(folder: Index, json: Json = False) -> None:
    """Learn from everything recorded since the last time.

    Clicks teach the memory of queries, the taste of users, what is popular, how
    deep each generator is asked and, once there are enough of them, the ranker.
    A new ranker replaces the old one only where held-out clicks do not speak
    against it.

    [dim]ltrr learn build/music[/]
    """
    with opened(folder) as engine:
        report = engine.learn(progress=watched())
        config = engine.config
    if json:
        print_json(report)
        return
    console = screen()
    if not report.searches and not report.events:
        console.print("Nothing new to learn: no search or event since the last time.")
        return
    console.print(
        f"Learnt from {counted(report.searches, 'search')} and {counted(report.events, 'event')} "
        f"in {duration(report.seconds)}"
    )
    print_facts(console, _facts(report, config))


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
