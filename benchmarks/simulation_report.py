"""From a simulation to `report.json`, `report.html` and TREC runs.

    dataset, feedback ("simulated"), model, learn_on, report_on, split, noise, searches, clicks, k, seed
    learn_queries, report_queries, left_out     left out: to report on, but with the text of one searched
    generators, ladder, budget
    clicks_by_position      clicks at each position of the page
    examination             position bias as the engine knows it in the end, see `positions_told`
    curve                   one entry at the beginning and after each `learn`: searches, clicks, ndcg@10
                            of `sample` queries to report on; then price, candidates_mean, ranker, verdict
    systems.<name>          ndcg@10, mrr@10, candidate_recall, candidates_mean; each with `<key>_interval`
                            against_graded.<measure>: difference, interval, p, p_holm
    share_of_graded         ndcg@10 of the engine over that of `line`, the better of graded and
                            graded_unclicked: line, value, interval
    seconds                 searching, learning

`systems` has the engine, `ltrr`, and the lines of `benchmarks.simulation_lines`. Intervals are 95%, by
resampling queries; `p_holm` is corrected over all systems and measures. `seconds` is what differs from
run to run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bootstrap import Bootstrap, Difference, holm
from benchmarks.datasets import read_dataset
from benchmarks.graded import Page, Question, measure_names, measured, questions
from benchmarks.judgements import write_qrels
from benchmarks.positions_told import positions_told
from benchmarks.simulation import Moment, Simulated, SimulationOptions, simulate
from benchmarks.simulation_lines import every_line
from benchmarks.simulation_page import page
from benchmarks.trec import write_run
from engine import EngineConfig
from retrievers.encoder import Encoder

ENGINE, GRADED = "ltrr", "graded"
JUDGES = (GRADED, "graded_unclicked")
"""The engine's own ranker, told the grades: the better of the two is what the engine is judged by."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Systems on the queries to report on: `pages` and `values` {measure: (n,)} of each."""

    asked: list[Question]
    pages: dict[str, list[Page]]
    values: dict[str, dict[str, NDArray[np.float64]]]


def simulate_into(
    dataset: Path,
    out: Path,
    options: SimulationOptions,
    *,
    config: EngineConfig,
    encoder: Encoder | str | None = None,
    embeddings: Path | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Simulate on a data set, measure, and write what came of it; the report.

    `runs/<system>.trec` and `runs/qrels.trec` are of the queries to report on.
    """
    source = read_dataset(dataset)
    out.mkdir(parents=True, exist_ok=True)
    made = simulate(
        source, config, options, encoder=encoder, embeddings=embeddings, progress=progress
    )
    found = compare(made, options.k, progress)
    text = json.dumps(report(made, found, options), ensure_ascii=False, indent=2, allow_nan=False)
    told: dict[str, Any] = json.loads(text)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    (out / "report.html").write_text(page(told), encoding="utf-8")
    _write_runs(out / "runs", made, found)
    return told


def compare(made: Simulated, k: int, progress: bool = False) -> Compared:
    """The engine as it is at the end, and every line, on the queries to report on."""
    catalog = made.state.catalog
    learn = questions(made.learn, made.texts, catalog, made.now)
    asked = questions(made.report, made.texts, catalog, made.now)
    pages: dict[str, list[Page]] = {}
    values = {}
    for name, shown in every_line(made, learn, asked, k, progress):
        pages[name] = shown
        values[name] = measured(asked, shown, catalog, k)
    return Compared(asked, pages, values)


def report(made: Simulated, found: Compared, options: SimulationOptions) -> dict[str, Any]:
    """The report, as JSON types."""
    config, k = made.config, options.k
    bootstrap = Bootstrap([one.id for one in found.asked], config.seed)
    compared = _compared(found, bootstrap, k)
    last = made.moments[-1]
    return {
        "dataset": made.dataset.name,
        "feedback": "simulated",
        "model": options.model,
        "learn_on": options.learn_on,
        "report_on": options.report_on,
        "split": options.split,
        "noise": options.noise,
        "searches": last.searches,
        "clicks": last.clicks,
        "k": k,
        "seed": config.seed,
        "sample": min(options.sample, len(made.report)),
        "learn_queries": len(made.learn),
        "report_queries": len(made.report),
        "left_out": made.left_out,
        "generators": list(config.generators),
        "ladder": list(config.ladder),
        "budget": config.budget,
        "clicks_by_position": made.clicked,
        "examination": positions_told(made.state.surfaces),
        "curve": [_point(moment, k) for moment in made.moments],
        "systems": {
            name: _figures(values, bootstrap, k) | {f"against_{GRADED}": compared[name]}
            if name in compared
            else _figures(values, bootstrap, k)
            for name, values in found.values.items()
        },
        f"share_of_{GRADED}": _share(found, bootstrap, k),
        "seconds": {
            "searching": sum(moment.searching for moment in made.moments),
            "learning": sum(moment.learning for moment in made.moments),
        },
    }


def _point(moment: Moment, k: int) -> dict[str, Any]:
    point: dict[str, Any] = {
        "searches": moment.searches,
        "clicks": moment.clicks,
        measure_names(k)[0]: moment.quality,
    }
    if moment.learnt is not None:
        mean = moment.learnt.candidates_mean
        point["price"] = moment.learnt.price
        point["candidates_mean"] = mean if np.isfinite(mean) else None
        point["ranker"] = moment.learnt.ranker
        point["verdict"] = moment.learnt.verdict
    return point


def _figures(
    values: Mapping[str, NDArray[np.float64]], bootstrap: Bootstrap, k: int
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for key in measure_names(k):
        figures[key] = float(values[key].mean())
        figures[f"{key}_interval"] = list(bootstrap.interval(values[key]))
    return figures


def _compared(found: Compared, bootstrap: Bootstrap, k: int) -> dict[str, dict[str, Any]]:
    """{system: {measure: difference}} from `graded`."""
    differences: dict[tuple[str, str], Difference] = {
        (name, key): bootstrap.difference(values[key], found.values[GRADED][key])
        for name, values in found.values.items()
        if name != GRADED
        for key in measure_names(k)[:2]
    }
    adjusted = holm([one.p for one in differences.values()])
    out: dict[str, dict[str, Any]] = {}
    for ((name, key), one), p in zip(differences.items(), adjusted, strict=True):
        out.setdefault(name, {})[key] = {
            "difference": one.mean, "interval": list(one.interval), "p": one.p, "p_holm": p,
        }  # fmt: skip
    return out


def _share(found: Compared, bootstrap: Bootstrap, k: int) -> dict[str, Any]:
    """The engine's mean over the better of `JUDGES`', resampled together; None where that is 0."""
    key = measure_names(k)[0]
    line = max(JUDGES, key=lambda name: float(found.values[name][key].mean()))
    ours, theirs = found.values[ENGINE][key], found.values[line][key]
    if theirs.mean() == 0.0:
        return {"line": line, "value": None, "interval": None}
    above, below = bootstrap.means(ours), bootstrap.means(theirs)
    drawn = above[below > 0] / below[below > 0]
    return {
        "line": line,
        "value": float(ours.mean() / theirs.mean()),
        "interval": np.quantile(drawn, (0.025, 0.975)).tolist(),
    }


def _write_runs(folder: Path, made: Simulated, found: Compared) -> None:
    folder.mkdir(exist_ok=True)
    catalog = made.state.catalog
    write_qrels(folder / "qrels.trec", made.report, layout="trec")
    for name, pages in found.pages.items():
        rankings = (
            (
                one.id,
                [
                    (catalog.id(row), score)
                    for row, score in zip(shown.docs.tolist(), shown.scores.tolist(), strict=True)
                ],
            )
            for one, shown in zip(found.asked, pages, strict=True)
        )
        write_run(folder / f"{name}.trec", rankings, tag=name)
