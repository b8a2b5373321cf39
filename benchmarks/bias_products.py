"""What a ranker learns from clicks that follow position, on judged queries nobody searched.

python -m benchmarks.bias_products DATASET --out DIR [--searches 8000] [--split 0.8] [--eta 1]
    [--exploration 0.01] [--seed 0]

Simulated people search an engine of two word generators, which ranks by fusion, and click by the
position-based model; no click is learnt from in between. Then every correction of
`EngineConfig.correction`, and inverse propensities with the true curve, trains the engine's ranker on
that one log, and orders what the engine finds for the queries left out. Writes `report.html` and
`report.json`:

    searches, clicks, queries   queries: those measured
    examination, true_curve     what the engine takes each position's share of looks to be; what it is
    fusion                      nDCG@10 of the pages that were clicked on
    methods.<name>              nDCG@10, interval; against_naive: difference, interval, p
    chosen                      what held-out clicks prefer
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from benchmarks.bootstrap import Bootstrap
from benchmarks.clicks import PositionBased
from benchmarks.datasets import Dataset, read_dataset
from benchmarks.graded import Page, Question, measured, page, questions, served
from benchmarks.positions_told import positions_drawn, positions_told
from benchmarks.report_page import STYLE
from benchmarks.simulation import PACE, START, Clock
from benchmarks.users import SimulatedUsers
from engine import EngineConfig, SearchEngine
from engine.answering import Answer
from engine.config import CORRECTIONS
from engine.correcting import chosen, trained
from engine.positions import learnt_surfaces
from engine.ranking_features import column_names
from engine.training import clicked_impressions
from rankers.base import Ranker
from rankers.propensity import Examination
from rankers.surfaces import Surfaces
from retrievers.analysis import normalise

GENERATORS = ("bm25", "fuzzy")
K = 10
NAIVE = "none"
TRUE = "ips, true curve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`split`: share of the judged queries that are searched; `eta`: the click model's severity;
    `exploration`: of `EngineConfig`."""

    searches: int = 8_000
    split: float = 0.8
    eta: float = 1.0
    exploration: float = 0.01
    seed: int = 0


def measure(dataset: Dataset, options: Options) -> dict[str, Any]:
    """The report of one simulated log."""
    clock = Clock()
    config = EngineConfig(
        seed=options.seed, generators=GENERATORS, policy="fixed", exploration=options.exploration,
        clock=clock, diversity="off",
    )  # fmt: skip
    texts = dataset.texts()
    learn, judged = dataset.learn_and_report("train", "test", options.split)
    searched = {normalise(texts[query]) for query in learn}
    unseen = {query: of for query, of in judged.items() if normalise(texts[query]) not in searched}
    model = PositionBased(severity=options.eta)
    users, rng = SimulatedUsers(learn, model), np.random.default_rng(options.seed)
    with SearchEngine.build(dataset.documents(), config=config, progress=True) as engine:
        clicks = 0
        for done in tqdm(range(options.searches), desc="searching", unit=" searches"):
            clock.now = START + PACE * done
            query = users.query(rng)
            made = engine.search(texts[query], k=K)
            clicked = users.clicks(query, [hit.id for hit in made.hits], rng)
            engine.feedback(made.impression_id, clicks=clicked)
            clicks += len(clicked)
        asked = questions(unseen, texts, engine.state.catalog, clock.now)
        answers = [served(engine.state, config, one) for one in tqdm(asked, desc="answering")]
        truth = model.examination(K)
        surfaces, rankers, best = _rankers(engine, Examination(truth))
        values = {name: _ndcg(engine, asked, answers, ranker) for name, ranker in rankers.items()}
        fusion = _ndcg(engine, asked, answers, None)
    bootstrap = Bootstrap([one.id for one in asked], options.seed)
    methods = {}
    for name, found in values.items():
        against = bootstrap.difference(found, values[NAIVE])
        methods[name] = {
            f"ndcg@{K}": float(found.mean()),
            "interval": list(bootstrap.interval(found)),
            "against_naive": {
                "difference": against.mean, "interval": list(against.interval), "p": against.p
            },
        }  # fmt: skip
    return {
        "dataset": dataset.name, "seed": options.seed, "eta": options.eta,
        "exploration": options.exploration, "searches": options.searches, "clicks": clicks,
        "queries": len(asked), "examination": positions_told(surfaces),
        "true_curve": truth.tolist(), "fusion": float(fusion.mean()), "methods": methods,
        "chosen": best,
    }  # fmt: skip


def _rankers(engine: SearchEngine, truth: Examination) -> tuple[Surfaces, dict[str, Ranker], str]:
    """The position bias that the log tells, a ranker by each correction, and the one chosen."""
    state, log, config = engine.state, engine.log, engine.config
    names, until = column_names(state.retrievers), log.last()
    surfaces = learnt_surfaces(log, config, names, until, state.surfaces)
    judged = clicked_impressions(log, config, names, until, surfaces)
    examination = surfaces.examination
    order = (NAIVE, *(name for name in CORRECTIONS if name != NAIVE))
    made: dict[str, Ranker] = {
        name: trained(config, names, judged, examination, name)
        for name in tqdm(order, desc="training")
    }
    made[TRUE] = trained(config, names, judged, truth, "ips")
    choosing = EngineConfig(correction="chosen", seed=config.seed)
    return surfaces, made, chosen(choosing, names, judged, examination)


def _ndcg(
    engine: SearchEngine, asked: list[Question], answers: list[Answer], ranker: Ranker | None
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    pages: list[Page] = [
        page(one, a.candidates, a.scores if ranker is None else ranker.score(a.features), K)
        for one, a in zip(asked, answers, strict=True)
    ]
    return measured(asked, pages, engine.state.catalog, K)[f"ndcg@{K}"]


def html(report: Mapping[str, Any]) -> str:
    """The page of a report."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{one[f'ndcg@{K}']:.4f}</td>"
        f"<td>{one['against_naive']['difference']:+.4f}<small>{one['against_naive']['interval'][0]:+.4f}"
        f"…{one['against_naive']['interval'][1]:+.4f}</small></td></tr>"
        for name, one in report["methods"].items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Position bias</title>'
        f"<style>{STYLE}</style><h1>Learning from clicks on {escape(report['dataset'])}</h1>"
        f"<p>{report['searches']:,} searches, {report['clicks']:,} clicks by the position-based model "
        f"with η = {report['eta']:g}; nDCG@{K} on {report['queries']:,} queries never searched. Fusion, "
        f"whose pages were clicked on: {report['fusion']:.4f}. Held-out clicks choose "
        f"{escape(report['chosen'])}.</p><table><tr><th>training</th><th>nDCG@{K}</th>"
        f"<th>against none, 95%</th></tr>{rows}</table>"
        f"{positions_drawn(report['examination'])}</html>\n"
    )


def main() -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--searches", type=int, default=8_000)
    parser.add_argument("--split", type=float, default=0.8)
    parser.add_argument("--eta", type=float, default=1.0)
    parser.add_argument("--exploration", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    options = Options(
        searches=given.searches, split=given.split, eta=given.eta, exploration=given.exploration,
        seed=given.seed,
    )  # fmt: skip
    report = measure(read_dataset(given.dataset), options)
    table = Table("training", f"nDCG@{K}", "against none", "95%", box=None)
    for name, one in report["methods"].items():
        low, high = one["against_naive"]["interval"]
        table.add_row(
            name, f"{one[f'ndcg@{K}']:.4f}", f"{one['against_naive']['difference']:+.4f}",
            f"{low:+.4f}…{high:+.4f}",
        )  # fmt: skip
    console = Console(width=120)
    console.print(table)
    told = report["examination"]
    console.print(
        f"fusion {report['fusion']:.4f}; chosen by held-out clicks: {report['chosen']}; curve "
        f"({told['source']}): {', '.join(f'{share:.2f}' for share in told['curve'])}"
    )
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (given.out / "report.json").write_text(text, encoding="utf-8")
    (given.out / "report.html").write_text(html(report), encoding="utf-8")


if __name__ == "__main__":
    main()
