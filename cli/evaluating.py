"""`ltrr evaluate-policy`: what another policy would have earned on a log."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.arguments import Json
from cli.output import counted, print_facts, print_json, problems, screen, watched

if TYPE_CHECKING:
    from bandit.ope import Support
    from benchmarks.policy_evaluation import Estimated, Measured, PolicyReport

group = typer.Typer()

UNSUPPORTED = 3
"""Exit code where the log cannot tell; 2 is for what cannot be read at all."""
BY = {
    ("plan", "joint"): "By whole plans: the joint propensity of all depths",
    ("plan", "marginal"): "By each generator's own depth: its marginal propensity",
    ("item", "joint"): "By the item at its position: its propensity there",
}
USED = {
    ("plan", "joint"): "whole plans",
    ("plan", "marginal"): "each generator's own depth",
    ("item", "joint"): "the item at its position",
}
SHARES = (
    "It takes a generator's part of the reward not to depend on what the others are asked: {:.1%} of "
    "the reward came from searches where one generator alone brought what was acted on."
)


@group.command("evaluate-policy")
def evaluate_policy(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG",
            show_default=False,
            help="An index; a folder of UBI files with propensities; or an Open Bandit folder.",
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            metavar="POLICY",
            show_default=False,
            help="uniform; fixed:bm25=50,dense=20 (others 0); a snapshot, by number or folder; for "
            "Open Bandit uniform, bts, or a folder.",
        ),
    ],
    estimators: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            show_default=False,
            help="Of replay, dm, ips, snips, dr, switch, dros \\[default: all].",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the intervals.")] = 0,
    json: Json = False,
) -> None:
    """Estimate what another policy would have earned on a log.

    What was logged is weighed by how probable it would have been under that
    policy. Where the log can't tell, no number is printed and the exit code is 3.
    Imported searches are left out, and those that a saved policy was learnt from.

    [dim]ltrr evaluate-policy build/music --target fixed:bm25=50,dense=20[/]

    [dim]ltrr evaluate-policy data/open-bandit --target bts[/]
    """
    from bandit.ope import ESTIMATORS
    from benchmarks.policy_evaluation import evaluate_policy as evaluated

    wanted = [name.strip() for name in (estimators or ",".join(ESTIMATORS)).split(",")]
    with problems().status(f"reading {log}") if watched() else nullcontext():
        report = evaluated(log, target, wanted, seed=seed)
    if json:
        print_json(report.to_json())
    else:
        _print(report)
    if report.answer is None:
        raise typer.Exit(UNSUPPORTED)


def _print(report: PolicyReport) -> None:
    console = screen()
    each = "a search" if report.action == "plan" else "an item shown"
    left_out = ", ".join(f"{count:,} {why}" for why, count in report.left_out.items())
    rounds = counted(report.rounds, "search")
    if report.action == "item":
        rounds = f"{report.rounds:,} items shown"
    rounds += f"; left out: {left_out}" if left_out else ""
    console.print(f"{report.log}: {rounds}", soft_wrap=True)
    if report.logging is not None:
        console.print(f"the policy that made the log earned {_measured(report.logging)} {each}")
    if report.own is not None:
        console.print(f"on a log of its own {report.target} earned {_measured(report.own)} {each}")
    for weights, found in groupby(report.estimates, key=lambda one: one.value.weights):
        console.print(f"\n{BY[report.action, weights]}")
        _print_estimates(console, list(found))
    console.print("\nWhat it means")
    for line in (*_meaning(report, each), *report.notes):
        print_facts(console, {"": line})


def _print_estimates(console: Console, found: list[Estimated]) -> None:
    print_facts(console, _facts(found[0].value.support))
    supported = [one for one in found if one.value.supported]
    if supported:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("  estimator", no_wrap=True)
        for heading in ("value", "95%, bootstrap", "95%, Bernstein", "against the log, 95%"):
            table.add_column(heading, justify="right", no_wrap=True)
        for one in supported:
            table.add_row(*_row(one))
        console.print(table)
    reasons = [reason for one in found for reason in one.value.reasons]
    for reason in dict.fromkeys(reasons):
        names = [one.value.estimator for one in found if reason in one.value.reasons]
        whose = "" if len(names) == len(found) else f"{', '.join(names)}: "
        print_facts(console, {"no answer": f"{whose}{reason}"})


def _facts(support: Support) -> dict[str, str]:
    return {
        "rests on": f"{support.effective:,.1f} effective rounds of {support.rounds:,}, "
        f"{support.rewarded:,.1f} of them rewarded",
        "weights": f"largest {support.largest:,.1f}, mean {support.mean_weight:.3f} (1 expected)",
        "never tried": f"{support.unsupported:.1%} of what the target does",
    }


def _row(one: Estimated) -> tuple[str, ...]:
    value, gain = one.value, one.gain
    bernstein = "" if value.bernstein is None else _interval(*value.bernstein)
    against = "" if gain.value is None else f"{gain.value:+.4f}"
    if gain.low is not None and gain.high is not None:
        against += f"  {gain.low:+.4f}…{gain.high:+.4f}"
    return (
        f"  {value.estimator}",
        "" if value.value is None else f"{value.value:.4f}",
        "" if value.low is None or value.high is None else _interval(value.low, value.high),
        bernstein,
        against,
    )


def _meaning(report: PolicyReport, each: str) -> list[str]:
    answer = report.answer
    if answer is None:
        why = "; ".join(report.reasons) or "the reasons stand above"
        return [
            f"The log cannot tell what {report.target} would have earned: {why}.",
            "A longer log can, or one of a policy that explores more.",
        ]
    value, gain = answer.value, answer.gain
    used = USED[report.action, value.weights]
    lines = [f"By {value.estimator} over {used}: {_said(report.target, answer, each)}"]
    if gain.low is None or gain.high is None:
        lines.append("Nothing says how far from the log's own that is.")
    elif gain.low > 0.0:
        lines.append(f"That is surely more than the log earned: by {gain.low:.4f} at least.")
    elif gain.high < 0.0:
        lines.append(f"That is surely less than the log earned: by {-gain.high:.4f} at least.")
    else:
        lines.append("The log cannot tell whether that is more or less than it earned itself.")
    if value.weights == "marginal":
        lines.append(SHARES.format(value.support.split))
    return lines


def _said(target: str, answer: Estimated, each: str) -> str:
    value = answer.value
    if value.low is None or value.high is None:
        return f"{target} would have earned {value.value:.4f} {each}, how surely is not known."
    return (
        f"{target} would have earned {value.value:.4f} {each}, with 95% confidence between "
        f"{value.low:.4f} and {value.high:.4f}."
    )


def _measured(found: Measured) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:.4f}"
    return f"{found.value:.4f} ({_interval(found.low, found.high)})"


def _interval(low: float, high: float) -> str:
    return f"{low:.4f}…{high:.4f}"
