"""`ltrr replay --simulate`: simulated users of a judged collection, in place of a log."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.output import counted, duration, print_json, screen, watched


class ClickModel(StrEnum):
    """How simulated people go through a page."""

    PBM = "pbm"
    CASCADE = "cascade"
    DBN = "dbn"
    TRUST = "trust"


Simulate = Annotated[
    ClickModel | None,
    typer.Option(
        show_default=False,
        help="Replay no log: people who click as this model says search for the queries of "
        "--learn-on, and quality is measured on those of --report-on.",
    ),
]
LearnOn = Annotated[
    str,
    typer.Option(metavar="SPLIT", help="With --simulate: the judged queries that are searched."),
]
ReportOn = Annotated[
    str,
    typer.Option(metavar="SPLIT", help="With --simulate: those that are measured, never searched."),
]
Searches = Annotated[
    int, typer.Option(min=1, metavar="N", help="With --simulate: searches in all.")
]
Split = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        show_default=False,
        help="With --simulate, where a split is missing: the share of the queries to learn from.",
    ),
]


def simulated(
    dataset: Path,
    out: Path,
    *,
    model: ClickModel,
    learn_on: str,
    report_on: str,
    split: float | None,
    searches: int,
    learn_every: str,
    k: int,
    budget: str,
    seed: int,
    foresight: bool,
    drawn: float,
    embeddings: Path,
    json: bool,
) -> None:
    """Run a simulation and print what came of it.

    `learn_every` and `budget` are as the command has them; `month`, its default, means often at first
    and less and less.
    """
    from benchmarks.simulation import SimulationOptions
    from benchmarks.simulation_report import simulate_into
    from engine import EngineConfig

    started = time.perf_counter()
    options = SimulationOptions(
        model=model.value, learn_on=learn_on, report_on=report_on, split=split, searches=searches,
        learn_every=_every(learn_every), k=k,
    )  # fmt: skip
    config = EngineConfig(seed=seed, budget=_budget(budget), foresight=foresight, drawn=drawn)
    report = simulate_into(
        dataset, out, options,
        config=config, embeddings=embeddings, progress=watched(),
    )  # fmt: skip
    if json:
        print_json(report)
    else:
        _print(report, out, time.perf_counter() - started)


def _every(text: str) -> int | None:
    if text != "month" and not text.isdecimal():
        raise ValueError(
            f"--learn-every: found {text!r}, with --simulate expected searches, as 1000"
        )
    return None if text == "month" else int(text)


def _budget(text: str) -> float:
    try:
        return float(text)
    except ValueError as e:
        raise ValueError(
            f"--budget: found {text!r}, with --simulate expected a number such as 80"
        ) from e


def _print(report: dict[str, Any], out: Path, seconds: float) -> None:
    console = screen()
    console.print(
        f"Simulated {counted(report['searches'], 'search')} with {counted(report['clicks'], 'click')} "
        f"({report['model']}) in {duration(seconds)}; measured on {report['report_queries']:,} "
        "queries never searched"
    )
    keys = [key for key in next(iter(report["systems"].values())) if not key.endswith("_interval")]
    keys = [key for key in keys if not key.startswith("against_")]
    table = Table(box=None, pad_edge=False)
    table.add_column("system", no_wrap=True)
    for heading in (*keys[:2], "recall", "cands", f"Δ {keys[0]} to graded, 95%"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figures in report["systems"].items():
        against = figures.get("against_graded", {}).get(keys[0])
        low, high = ("", "") if against is None else (f"{v:+.4f}" for v in against["interval"])
        table.add_row(
            name,
            *(f"{figures[key]:.3f}" for key in keys[:3]),
            f"{figures[keys[3]]:.1f}",
            "" if against is None else f"{low}…{high}",
        )
    console.print(table)
    share = report["share_of_graded"]
    if share["value"] is not None:
        low, high = share["interval"]
        console.print(
            f"From clicks alone: {share['value']:.1%} ({low:.1%}…{high:.1%}) of the engine's own "
            "ranker trained on grades"
        )
    console.print(f"{out / 'report.html'}", soft_wrap=True)
