"""A replay from a folder into a folder: report.json, report.html and TREC runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.datasets import read_dataset
from benchmarks.judgements import write_qrels
from benchmarks.replay import Replay, ReplayOptions, replay
from benchmarks.report import BUDGETED, report
from benchmarks.report_page import page
from benchmarks.trec import write_run
from engine import EngineConfig
from retrievers.encoder import Encoder


def replay_into(
    dataset: Path,
    out: Path,
    options: ReplayOptions,
    *,
    budgets: Sequence[float],
    config: EngineConfig,
    encoder: Encoder | str | None = None,
    embeddings: Path | None = None,
    feedback: str = "logged",
    progress: bool = False,
) -> dict[str, Any]:
    """Replay a data set at each budget and write what came of it; the report.

    With several budgets, the first is told in full, the others only of systems that a budget changes.
    `runs/<system>.trec` and `runs/qrels.trec` are of the first.
    """
    source = read_dataset(dataset)
    out.mkdir(parents=True, exist_ok=True)
    replays: list[Replay] = []
    for budget in budgets:
        chosen = options if not replays else replace(options, systems=BUDGETED)
        at = replace(config, budget=budget)
        replays.append(
            replay(source, at, chosen, encoder=encoder, embeddings=embeddings, progress=progress)
        )
    about = {
        "dataset": source.name, "feedback": feedback, "profile": options.profile, "k": options.k,
        "warmup": options.warmup, "learn_every": options.every, "limit": options.limit,
    }  # fmt: skip
    made = report(replays, about)
    _write_runs(out / "runs", replays[0])
    text = json.dumps(made, ensure_ascii=False, indent=2, allow_nan=False)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    (out / "report.html").write_text(page(made), encoding="utf-8")
    return made


def _write_runs(folder: Path, made: Replay) -> None:
    folder.mkdir(exist_ok=True)
    catalog = made.steps[0].state.catalog
    wanted = {
        asked.id: {catalog.id(row): 1 for row in asked.wanted.tolist()} for asked in made.asked
    }
    write_qrels(folder / "qrels.trec", wanted, layout="trec")
    for name, system in made.systems.items():
        write_run(folder / f"{name}.trec", system.rankings.items(), tag=name)
