"""`report.html` of the position-bias benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from benchmarks.bias_methods import CHOSEN, EXPLORED
from benchmarks.charts import chart
from benchmarks.report_page import STYLE


def page(report: Mapping[str, Any]) -> str:
    """The page of a report of `benchmarks.bias`."""
    parts = [
        f"<h1>Learning from clicks on {escape(str(report['dataset']))}</h1>",
        f"<p>nDCG@10 over test queries with a relevant document, mean of {len(report['folds'])} "
        f"folds: production {report['production']:.4f}, all labels {report['skyline']:.4f}. In the "
        "table: the share of the way from the first to the second; below it the worst fold, as "
        "nDCG@10 above production there. Exploration spends the same sessions over ten deployments, "
        f"and no page gives up more than {report['loss']:.0%} of the clicks expected of it.</p>",
        _table(report),
        "<h2>What exploring costs</h2><p>Clicks lost on explored pages against the same ranker's "
        "own, over all deployments (below 0: won), and clicks won over production's pages.</p>",
        _costs(report),
        "<h2>Examination, estimated from one log</h2><p>Mean of the folds, beside the true "
        "curve.</p>",
        *_curves(report),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Position bias</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def _table(report: Mapping[str, Any]) -> str:
    cells = {(c["model"], c["sessions"], c["method"]): c for c in report["cells"]}
    columns = list(dict.fromkeys((model, count) for model, count, _ in cells))
    head = "".join(f"<th>{escape(model)}<small>{n:,} sessions</small></th>" for model, n in columns)
    rows = ""
    for method in dict.fromkeys(method for _, _, method in cells):
        row = "".join(
            f"<td>{cells[*column, method]['share']:.0%}"
            f"<small>{cells[*column, method]['worst']:+.3f}</small></td>"
            for column in columns
        )
        rows += f"<tr><th>{escape(method)}</th>{row}</tr>"
    return f"<table><tr><th>method</th>{head}</tr>{rows}</table>"


def _costs(report: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(c['model'])}, {c['sessions']:,}</th>"
        f"<td>{np.mean([a['loss_by_exploring'] for a in c['about']]):+.2%}</td>"
        f"<td>{np.mean([a['clicks_over_production'] for a in c['about']]):+.2%}</td>"
        f"<td>{np.mean([a['promoted'] for a in c['about']]):.1f}</td></tr>"
        for c in report["cells"]
        if c["method"] == EXPLORED
    )
    head = "<th></th><th>lost by exploring</th><th>won over production</th><th>promoted of ten</th>"
    return f"<table><tr>{head}</tr>{rows}</table>"


def _curves(report: Mapping[str, Any]) -> list[str]:
    charts = []
    for cell in report["cells"]:
        if cell["method"] != CHOSEN:
            continue
        series = {
            name: [
                (float(place), float(value))
                for place, value in enumerate(
                    np.mean([about[key] for about in cell["about"]], axis=0).tolist(), start=1
                )
            ]
            for name, key in (("true", "true_curve"), ("estimated", "curve"))
        }
        charts.append(
            f"<h3>{escape(cell['model'])}, {cell['sessions']:,} sessions</h3>"
            + chart(series, "position", "examination", lines=True)
        )
    return charts
