"""`ltrr interleaving`: who wins on pages that two states share, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.text import Text

from cli.arguments import Index, Json
from cli.output import command, counted, print_facts, print_json, print_next, screen

if TYPE_CHECKING:
    from engine import Interleaved

group = typer.Typer()


@group.command("interleaving")
def interleaving(folder: Index, json: Json = False) -> None:
    """Tell who wins on pages shared by what is in force and a staged snapshot.

    [bold]ltrr search --interleave[/] lets both draft the page in turns; clicks tell
    whose items are liked better. All searches of one query in one context have a
    single vote, since the same one drafts first in all of them. The log is read as
    it is now; the index may be in use meanwhile.

    [dim]ltrr interleaving build/music[/]
    """
    from benchmarks.engine_log import EngineLog
    from engine.snapshots import in_force, waiting_for

    with EngineLog(folder) as log:
        found = log.interleaved()
    waiting = {one.number for one in waiting_for(folder, in_force(folder))}
    if json:
        print_json([{"winner": one.winner, **_plain(one)} for one in found])
        return
    console = screen()
    if not found:
        console.print("No interleaved search yet.")
        print_next(
            console, "Once something is staged:",
            command("ltrr", "search", str(folder), "QUERY", "--interleave"),
        )  # fmt: skip
    for one in found:
        console.print(
            Text(f"Snapshot {one.challenger} against {one.incumbent}, which was in force")
        )
        print_facts(console, _facts(one))
    if any(one.winner == "challenger" and one.challenger in waiting for one in found[-1:]):
        print_next(console, "To put it in force:", command("ltrr", "promote", str(folder)))


def _plain(one: Interleaved) -> dict[str, object]:
    return {"incumbent": one.incumbent, "challenger": one.challenger, "credit": one.credit}


def _facts(one: Interleaved) -> dict[str, str]:
    credit = one.credit
    facts = {
        "who wins": _verdict(one),
        "votes": f"{counted(credit.votes, 'vote')}: {credit.wins:,} for {one.challenger}, "
        f"{credit.losses:,} for {one.incumbent}, {counted(credit.ties, 'tie')}",
        "seen": f"{counted(credit.impressions, 'impression')}, {credit.clicked:,} of them clicked",
    }
    if credit.preference is not None and credit.low is not None and credit.high is not None:
        facts["preference"] = (
            f"{credit.preference:+.3f} for {one.challenger}, {credit.low:+.3f} to {credit.high:+.3f} "
            "with 95% confidence (from -0.5 to +0.5)"
        )
    if credit.needed:
        facts["to decide"] = (
            f"roughly {counted(credit.needed, 'more impression')}, if the difference is what it seems"
        )
    return facts


def _verdict(one: Interleaved) -> str:
    credit = one.credit
    if one.winner is not None:
        better, worse = one.challenger, one.incumbent
        if one.winner == "incumbent":
            better, worse = worse, better
        return (
            f"snapshot {better}: its items are liked better than those of {worse} (p = {credit.p:.2g} in one "
            "look; stopping at the first of many that is below 0.05 errs more often)"
        )
    if not credit.votes:
        return "open: nothing was clicked yet"
    if credit.wins == credit.losses:
        return "open: neither is ahead"
    ahead = one.challenger if credit.wins > credit.losses else one.incumbent
    return f"open: snapshot {ahead} is ahead, but that may be chance (p = {credit.p:.2g})"
