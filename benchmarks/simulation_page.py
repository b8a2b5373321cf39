"""`report.html`: one self-contained page of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from benchmarks.charts import chart
from benchmarks.graded import measure_names
from benchmarks.positions_told import positions_drawn
from benchmarks.report_page import STYLE, table

LINES = ("graded", "bm25", "rrf", "minmax")
"""Systems drawn as level lines beside the learning curve."""


def page(report: Mapping[str, Any]) -> str:
    """The page of a simulation's report."""
    k = int(report["k"])
    quality = measure_names(k)[0]
    share = report["share_of_graded"]
    judged = "" if share["value"] is None else _share(share)
    parts = [
        f"<h1>Simulated users of {escape(str(report['dataset']))}</h1>",
        f"<p>{report['searches']:,} searches, drawn from {report['learn_queries']:,} queries, with "
        f"{report['clicks']:,} clicks by the model {escape(report['model'])}. Measured on "
        f"{report['report_queries']:,} queries that were never searched, by their grades; what is "
        "unjudged has grade 0. Intervals: 95%, by resampling queries; p against graded, corrected by "
        f"Holm over all systems and measures.</p>{judged}",
        table(report["systems"], measure_names(k), "graded"),
        "<h2>Learning curve</h2>",
        f"<p>{quality} on {report['sample']:,} of the queries, after each time of learning; level "
        "lines are of all of them.</p>",
        chart(_curve(report, quality), "searches", quality, lines=True),
        "<h2>Quality against candidates</h2>",
        chart(
            {
                name: [(figures["candidates_mean"], figures[quality])]
                for name, figures in report["systems"].items()
            },
            "candidates, mean", quality, lines=False,
        ),
        positions_drawn(report["examination"]),
    ]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulation</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def _share(share: Mapping[str, Any]) -> str:
    low, high = share["interval"]
    return (
        f"<p>The engine, from clicks alone, reaches <b>{share['value']:.1%}</b> ({low:.1%}–{high:.1%}) of "
        "its own ranker trained on the grades of the queries that were searched.</p>"
    )


def _curve(report: Mapping[str, Any], quality: str) -> dict[str, list[tuple[float, float]]]:
    points = [(float(point["searches"]), float(point[quality])) for point in report["curve"]]
    ends = (points[0][0], points[-1][0])
    level = {
        name: [(x, report["systems"][name][quality]) for x in ends]
        for name in LINES
        if name in report["systems"]
    }
    return {"ltrr": points, **level}
