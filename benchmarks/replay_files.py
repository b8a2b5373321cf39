"""A replay from a folder into a folder: report.json, report.html and TREC runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from benchmarks.datasets import read_dataset
from benchmarks.feeding import LOGGED, SHOWN
from benchmarks.judgements import write_qrels
from benchmarks.replay import ReplayOptions, replay
from benchmarks.replay_work import FOLDER, open_work, sums_of
from benchmarks.replayed import Replay
from benchmarks.report import BUDGETED, report
from benchmarks.report_page import page
from benchmarks.trec import write_run
from engine import BadInput, EngineConfig
from retrievers.encoder import Encoder

NOTES = {
    LOGGED: "Every system answers each search with what was known before it. Then all logged searches "
    "and events are learnt, clicks on items that a system did not show included: the engine learns "
    "from them, and so do the generators, which all systems share; static_union, best_fixed and "
    "best_fixed_hindsight train their rankers on them, each on the candidates of its own plan. "
    "minmax is fitted once, on the warm-up.",
    SHOWN: "The warm-up is imported as logged history. After it the engine answers every search of the "
    "log and learns only from logged events on items that it showed itself in its first k; clicks on "
    "other items, and later events on searches of the warm-up, teach nothing, while events without "
    "a search (the profile, where it is not left out) stay known. The generators, rrf, minmax (fitted "
    "once, on the warm-up), static_union, best_fixed, best_fixed_hindsight and oracle answer from the "
    "engine's state, so what their generators know comes from the engine's pages; oracle ranks with the "
    "engine's ranker. The rankers of static_union, best_fixed and best_fixed_hindsight are trained on "
    "the warm-up and after it only on clicks on items that each of them showed itself in its first k. "
    "Only searches with a click are measured. Not to be compared with figures of feedback logged.",
}
"""What every system learnt from, as reports say it."""


NO_RANKER = (
    " No ranker was trained: fusion orders what was retrieved, so that only recall and candidates are "
    "to be compared."
)


def replay_into(
    dataset: Path,
    out: Path,
    options: ReplayOptions,
    *,
    budgets: Sequence[float],
    config: EngineConfig,
    encoder: Encoder | str | None = None,
    embeddings: Path | None = None,
    resume: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Replay a data set at each budget and write what came of it; the report.

    With several budgets, the first is told in full, the others only of systems that a budget changes.
    `runs/<system>.trec` and `runs/qrels.trec` are of the first. `work/` holds what is done until the
    report is written; see `benchmarks.replay_work` for what `resume` does.
    """
    source = read_dataset(dataset)
    about = {
        "dataset": source.name, "feedback": options.feedback, "profile": options.profile,
        "k": options.k, "warmup": options.warmup, "learn_every": options.every,
        "limit": options.limit,
    }  # fmt: skip
    named = encoder if encoder is None or isinstance(encoder, str) else type(encoder).__name__
    files = sums_of((source.corpus, source.searches_file, source.events_file))
    same = about | {
        "systems": options.systems, "budgets": budgets, "encoder": named, "files": files,
        "config": replace(config, budget=budgets[0]).to_json(),
    }  # fmt: skip
    fresh = not (out / FOLDER).exists()
    work = open_work(out, same, resume=resume)
    replays: list[Replay] = []
    logged = options.feedback == LOGGED
    # Where the first budget prunes nothing, its walk has no pruner for those that would.
    alike = [b for b in budgets[1:] if config.drawn > budgets[0] or config.drawn <= b]
    beside = alike if logged and not config.ranker_window else ()
    try:
        for budget in budgets:
            chosen = options if not replays else replace(options, systems=BUDGETED)
            replays.append(
                replay(
                    source, replace(config, budget=budget), chosen, encoder=encoder,
                    embeddings=embeddings, work=work / f"budget-{budget}",
                    beside=() if replays else beside,
                    same_walk=work / f"budget-{budgets[0]}" if logged and replays else None,
                    progress=progress,
                )
            )  # fmt: skip
    except BadInput:
        # Refused, not interrupted: there is nothing to go on with.
        if fresh:
            rmtree(work)
        raise
    note = NOTES[options.feedback] + ("" if config.ranker_window else NO_RANKER)
    made = report(replays, {**about, "feedback_note": note})
    _write_runs(out / "runs", replays[0])
    text = json.dumps(made, ensure_ascii=False, indent=2, allow_nan=False)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    (out / "report.html").write_text(page(made), encoding="utf-8")
    rmtree(work)
    return made


def _write_runs(folder: Path, made: Replay) -> None:
    folder.mkdir(exist_ok=True)
    wanted = {asked.id: dict.fromkeys(asked.wanted, 1) for asked in made.asked}
    write_qrels(folder / "qrels.trec", wanted, layout="trec")
    for name in made.systems:
        write_run(folder / f"{name}.trec", made.rankings(name), tag=name)
