"""How near the estimated position bias comes to the true one, under models nobody told it.

python -m benchmarks.bias_curve FOLDER --out DIR [--sessions 100000] [--loss 0.01] [--seed 0]

The pages of a weak ranker on MQ2008 (see `benchmarks.bias_world`) are clicked by position-based models
of several severities, by one with a fold in the page, and by one with trust bias. `position_bias` has
the log alone: of the pages as ranked, and of pages whose items were swapped now and then at a stated
loss. Prints, and writes to `report.json` and `report.html`, for each model and log

    source          the way that was taken
    curve, true     examination of each position as a share of the first; with trust bias: by how much
                    a click depends on relevance
    largest_error   the largest relative error of the ten
    interval        95%, of the estimate
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bias_world import ATTRACTION, PAGE, Fold, folds, orders
from benchmarks.charts import chart
from benchmarks.clicks import ClickModel, Flags, Floats, PositionBased, TrustBias
from benchmarks.report_page import STYLE
from rankers.base import Judged
from rankers.exploration import swapped
from rankers.position_bias import position_bias
from rankers.propensity import Examination

PLACES: Floats = np.arange(1, PAGE + 1, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A position-based model of a page with a fold: what is below `fold` is seen half as often."""

    severity: float = 0.7
    fold: int = 5

    def examination(self, positions: int) -> Floats:
        """Shape (positions,)."""
        place = np.arange(1, positions + 1, dtype=np.float64)
        return np.where(place > self.fold, 0.5, 1.0) * place**-self.severity

    def clicks(self, attraction: Floats, rng: np.random.Generator) -> Flags:
        """Shape (…, n): clicked where examined and attractive."""
        return np.asarray(rng.random(attraction.shape) < self.examination(PAGE) * attraction)


def models() -> dict[str, tuple[ClickModel, Floats]]:
    """{name: model, true curve}."""
    trust, folded = TrustBias(), Folded()
    slope = PLACES**-trust.severity * (1.0 - (PLACES + 1) / 100 - trust.trust / PLACES)
    severities = (0.5, 1.0, 2.0)
    return {
        **{f"pbm, η = {eta:g}": (PositionBased(eta), PLACES**-eta) for eta in severities},
        "pbm with a fold": (folded, folded.examination(PAGE)),
        "trust, η = 1": (trust, slope / slope[0]),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """A log of sessions, and for each row the place the ranker gave it, as a group to compare."""

    judged: Judged
    queries: NDArray[np.int64]
    documents: NDArray[np.int64]
    placed: NDArray[np.int64]


def sessions_of(
    fold: Fold, model: ClickModel, count: int, loss: float, rng: np.random.Generator
) -> Sessions:
    """Pages of PAGE of the queries that have as many documents, each query as likely as any other."""
    train = fold.train
    pages = orders(train, fold.production.score(train.features))
    full = [rows for rows in pages if rows.size >= PAGE]
    known, drawn = Examination.prior(PAGE), rng.integers(len(full), size=count)
    shown, placed = np.empty((count, PAGE), np.int64), np.empty((count, PAGE), np.int64)
    for i, query in enumerate(drawn.tolist()):
        order = swapped(np.arange(full[query].size), known, loss, rng).order[:PAGE]
        shown[i] = full[query][order]
        # The chances of a swap depend on how many items there are to swap.
        placed[i] = order + 2 * PAGE * min(full[query].size, 2 * PAGE)
    clicked = model.clicks(ATTRACTION[train.labels[shown].astype(np.int64)], rng)
    rows = shown.ravel()
    judged = Judged(
        train.features[rows],
        clicked.ravel().astype(np.float64),
        np.ones(rows.size),
        np.tile(np.arange(1, PAGE + 1, dtype=np.int32), count),
        np.arange(0, rows.size + 1, PAGE, dtype=np.int64),
    )
    return Sessions(judged, drawn.astype(np.int64), rows, placed.ravel())


def measure(fold: Fold, count: int, losses: Sequence[float], seed: int) -> list[dict[str, Any]]:
    """One entry for each model and log."""
    made = []
    for place, (name, (model, true)) in enumerate(models().items()):
        for loss in losses:
            rng = np.random.default_rng([seed, place, int(loss > 0)])
            log = sessions_of(fold, model, count, loss, rng)
            found = position_bias(
                log.judged, log.queries, log.documents,
                randomised=log.placed if loss else None, seed=seed,
            )  # fmt: skip
            curve = found.examination.curve
            made.append(
                {
                    "model": name, "loss": loss, "source": found.source,
                    "largest_error": float(np.abs(curve / true - 1.0).max()),
                    "curve": curve.tolist(), "true": true.tolist(),
                    "interval": [end.tolist() for end in found.examination.interval()],
                }
            )  # fmt: skip
            print(_line(made[-1]), flush=True)
    return made


def _line(one: Mapping[str, Any]) -> str:
    curve = " ".join(f"{share:.3f}" for share in one["curve"])
    return (
        f"{one['model']:<16} loss {one['loss']:<5g} {one['source']:<11} largest error "
        f"{one['largest_error']:>5.1%}   {curve}"
    )


def page(report: Mapping[str, Any]) -> str:
    """The page of a report."""
    parts = [
        f"<h1>Position bias from {report['sessions']:,} sessions</h1><p>Estimates from the clicks "
        "alone, beside the true curve of the model that made them.</p>"
    ]
    for one in report["estimates"]:
        series = {"true": one["true"], "estimated": one["curve"]}
        series |= dict(zip(("at least", "at most"), one["interval"], strict=True))
        drawn = {
            name: [(float(place), value) for place, value in enumerate(values, start=1)]
            for name, values in series.items()
        }
        parts.append(
            f"<h3>{escape(one['model'])}, loss {one['loss']:g}</h3><p>Taken: {one['source']}; largest "
            f"error {one['largest_error']:.1%}.</p>"
            + chart(drawn, "position", "examination", lines=True)
        )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Position bias</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def main() -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with S1.txt to S4.txt of LETOR's MQ2008")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--loss", type=float, default=0.01, help="by swaps, in the mean")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    fold = folds(given.folder, given.seed)[0]
    report = {
        "sessions": given.sessions,
        "seed": given.seed,
        "estimates": measure(fold, given.sessions, (0.0, given.loss), given.seed),
    }
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (given.out / "report.json").write_text(text, encoding="utf-8")
    (given.out / "report.html").write_text(page(report), encoding="utf-8")


if __name__ == "__main__":
    main()
