"""`ltrr replay`: what learning to retrieve would have done on a log."""

from __future__ import annotations

import time
from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.arguments import DRAWN, Drawn, Foresight, Json
from cli.output import counted, duration, print_json, screen, watched
from cli.simulating import LearnOn, ReportOn, Searches, Simulate, Split, simulated

if TYPE_CHECKING:
    from benchmarks.replay import ReplayOptions

group = typer.Typer()
SHOWN = ("candidate_recall", "candidates_mean", "ms_p50", "ms_p99")


class Feedback(StrEnum):
    """What the engine learns from."""

    LOGGED = "logged"
    SHOWN = "shown"


@group.command("replay")
def replay(
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            show_default=False,
            help="A folder with corpus.jsonl, ubi_queries.jsonl and ubi_events.jsonl (.gz too).",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            show_default=False,
            help="Where report.json, report.html and runs/ go.",
        ),
    ],
    feedback: Annotated[
        Feedback,
        typer.Option(
            help="logged: every search is answered with what was known before it, then its "
            "logged events are learnt. shown: after the warm-up the engine learns only from logged "
            "clicks on items that it showed itself in its first k."
        ),
    ] = Feedback.LOGGED,
    warmup: Annotated[
        float, typer.Option(help="Share of the searches that is learnt before any is measured.")
    ] = 0.75,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Results a search.")] = 10,
    budget: Annotated[
        str,
        typer.Option(
            metavar="N[,N…]",
            help="Candidates a search in the mean; of several, the first is told in full and all "
            "make a curve.",
        ),
    ] = "80",
    learn_every: Annotated[
        str, typer.Option(metavar="N|month", help="Searches between two learns, or month.")
    ] = "month",
    no_profile: Annotated[
        bool,
        typer.Option("--no-profile", help="Leave out events that answer no search."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    systems: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            show_default=False,
            help="Only these systems, and best_fixed \\[default: all].",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default=False,
            help="Only the first N searches after the warm-up.",
        ),
    ] = None,
    embeddings: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Keeps embeddings of the corpus between runs."),
    ] = Path("build/embeddings"),
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with an unfinished replay in DIR, of the same options and data; where there "
            "is none, begin.",
        ),
    ] = False,
    retrieval_only: Annotated[
        bool,
        typer.Option(
            "--retrieval-only",
            help="Train no ranker: quicker, for recall and candidates alone.",
        ),
    ] = False,
    foresight: Foresight = True,
    drawn: Drawn = DRAWN,
    simulate: Simulate = None,
    learn_on: LearnOn = "train",
    report_on: ReportOn = "test",
    split: Split = None,
    searches: Searches = 50_000,
    json: Json = False,
) -> None:
    """Replay a log: what would learning to retrieve have done?

    Walks the log in time order. Each search is answered by the engine and by the
    systems it is compared with, with nothing that was not known at its time. What is
    done is kept in DIR/work until the report is written; --resume goes on from there.

    [dim]ltrr replay data/music --out build/music-replay[/]

    [dim]ltrr replay data/music --out build/curve --budget 80,10,20,40[/]

    [dim]ltrr replay data/shop --simulate pbm --split 0.8 --out build/simulated[/]
    """  # fmt: skip
    if find_spec("ir_measures") is None:
        raise ImportError("ltrr replay: measures need ir-measures; pip install 'ltrr[bench]'")
    if simulate is not None:
        simulated(
            dataset, out, model=simulate, learn_on=learn_on, report_on=report_on, split=split,
            searches=searches, learn_every=learn_every, k=k, budget=budget, seed=seed,
            foresight=foresight, drawn=drawn, embeddings=embeddings, json=json,
        )  # fmt: skip
        return
    from benchmarks.replay import ReplayOptions
    from benchmarks.replay_files import replay_into
    from engine import EngineConfig

    started = time.perf_counter()
    options = ReplayOptions(
        warmup=warmup, k=k, every=_every(learn_every), profile=not no_profile,
        systems=_names(systems), limit=limit, feedback=feedback.value,
    )  # fmt: skip
    config = EngineConfig(seed=seed, foresight=foresight, drawn=drawn)
    if retrieval_only:
        config = replace(config, ranker_window=0)
    report = replay_into(
        dataset, out, options, budgets=_budgets(budget), config=config, embeddings=embeddings,
        resume=resume, progress=watched(),
    )  # fmt: skip
    if json:
        print_json(report)
    else:
        _print(report, out, time.perf_counter() - started, options)


def _every(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _budgets(text: str) -> tuple[float, ...]:
    try:
        return tuple(dict.fromkeys(float(part) for part in text.split(",")))
    except ValueError as e:
        raise ValueError(
            f"--budget: found {text!r}, expected numbers such as 80 or 10,20,40"
        ) from e


def _print(report: dict[str, Any], out: Path, seconds: float, options: ReplayOptions) -> None:
    console = screen()
    console.print(
        f"Replayed {counted(report['searches'], 'search')} after a warm-up of "
        f"{report['warmup_searches']:,} in {duration(seconds)}, feedback {report['feedback']}; "
        "best_fixed is the line to beat"
    )
    keys = [key for key in next(iter(report["systems"].values())) if "@" in key]
    keys = [key for key in keys if not key.endswith("_interval")]
    table = Table(box=None, pad_edge=False)
    table.add_column("system", no_wrap=True)
    headings = [key.replace("success", "succ") for key in keys]
    for heading in (*headings, "recall", "cands", "p50 ms", "p99 ms", f"Δ {keys[0]}, 95%"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figures in report["systems"].items():
        against = figures.get("against_best_fixed", {}).get(f"ndcg@{options.k}")
        low, high = ("", "") if against is None else (f"{v:+.4f}" for v in against["interval"])
        table.add_row(
            name,
            *(f"{figures[key]:.3f}" for key in (*keys, SHOWN[0])),
            *(f"{figures[key]:.1f}" for key in SHOWN[1:]),
            "" if against is None else f"{low}…{high}",
        )
    console.print(table)
    console.print(f"{out / 'report.html'}", soft_wrap=True)
