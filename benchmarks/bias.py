"""What is learnt from clicks that follow position: simulated on MQ2008, method by method.

python -m benchmarks.bias FOLDER --out DIR [--sessions 10000,200000] [--eta 1,2]
    [--models pbm,trust,cascade] [--seed 0] [--loss 0.1]

Leaves each of S1.txt to S4.txt out in turn. A production ranker (LambdaMART on 2% of the queries with
their labels) shows its first ten; clicks are simulated there (0.1, 0.6, 1.0 for grades 0, 1, 2 where
somebody looks); each method learns from the clicks alone. Writes `report.json` and `report.html`:

    production, skyline     nDCG@10 over test queries with a relevant document, mean over folds
    folds.<name>            both, a fold
    cells                   one for every click model × sessions × method:
        quality, share      nDCG@10; its share of the way from production to the skyline
        folds               nDCG@10 a fold
        worst               the least nDCG@10 above production of any fold
        about               a fold: what the held-out clicks chose, the estimated curve, the loss
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bias_methods import EXPLORED, Outcome, explored, one_log
from benchmarks.bias_page import page
from benchmarks.bias_world import Fold, click_models, click_ranker, folds
from benchmarks.clicks import ClickModel


def measure(
    made: Sequence[Fold],
    models: Mapping[str, ClickModel],
    sessions: Sequence[int],
    loss: float,
    seed: int,
) -> dict[str, Any]:
    """The report, without what names the run."""
    production = [fold.quality(fold.production) for fold in made]
    skyline = [fold.quality(fold.skyline) for fold in made]
    cells = []
    for place, (name, model) in enumerate(models.items()):
        for count in sessions:
            outcomes: dict[str, list[Outcome]] = {}
            for number, fold in enumerate(made):
                source = [seed, place, count, number]
                found = one_log(fold, model, count, np.random.default_rng([*source, 0]))
                found[EXPLORED] = explored(
                    fold, model, count, loss, np.random.default_rng([*source, 1])
                )
                for method, outcome in found.items():
                    outcomes.setdefault(method, []).append(outcome)
            for method, several in outcomes.items():
                cells.append(
                    {"model": name, "sessions": count, "method": method}
                    | _figures(several, production, skyline)
                )
                print(_line(cells[-1]), flush=True)
    return {
        "production": float(np.mean(production)),
        "skyline": float(np.mean(skyline)),
        "folds": {
            fold.name: {"production": low, "skyline": high}
            for fold, low, high in zip(made, production, skyline, strict=True)
        },
        "skyline_with_the_settings_of_clicks": float(np.mean([_on_labels(f) for f in made])),
        "cells": cells,
    }


def _figures(
    outcomes: Sequence[Outcome], production: Sequence[float], skyline: Sequence[float]
) -> dict[str, Any]:
    quality = [outcome.quality for outcome in outcomes]
    low, high = float(np.mean(production)), float(np.mean(skyline))
    mean = float(np.mean(quality))
    return {
        "quality": mean,
        "share": (mean - low) / (high - low),
        "folds": quality,
        "worst": float(np.min(np.array(quality) - np.array(production))),
        "about": [outcome.about for outcome in outcomes],
    }


def _on_labels(fold: Fold) -> float:
    ranker = click_ranker()
    ranker.fit(fold.train)
    return fold.quality(ranker)


def _line(cell: Mapping[str, Any]) -> str:
    return (
        f"{cell['model']:<16} {cell['sessions']:>9,} {cell['method']:<22} "
        f"{cell['quality']:.4f} {cell['share']:>6.0%}   worst fold {cell['worst']:+.4f}"
    )


def main() -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with S1.txt to S4.txt of LETOR's MQ2008")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sessions", default="10000,200000")
    parser.add_argument("--eta", default="1,2")
    parser.add_argument("--models", default="pbm,trust,cascade")
    parser.add_argument("--loss", type=float, default=0.1, help="of a page, by exploring, at most")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sessions = [int(count) for count in given.sessions.split(",")]
    etas = [float(eta) for eta in given.eta.split(",")]
    models = click_models(given.models.split(","), etas)
    if not models:
        parser.error(f"--models: found {given.models!r}, expected some of pbm, trust, cascade")
    report = {
        "dataset": "MQ2008",
        "seed": given.seed,
        "loss": given.loss,
        **measure(folds(given.folder, given.seed), models, sessions, given.loss, given.seed),
    }
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (given.out / "report.json").write_text(text, encoding="utf-8")
    (given.out / "report.html").write_text(page(report), encoding="utf-8")


if __name__ == "__main__":
    main()
