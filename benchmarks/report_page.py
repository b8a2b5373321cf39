"""`report.html`: one self-contained page of a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any

from benchmarks.charts import chart, heat
from benchmarks.metrics import measure_names
from benchmarks.positions_told import positions_drawn
from benchmarks.replay import REFERENCE

COMPARED = ("ltrr", "best_fixed", "static_union", "minmax", "rrf", "personal", "memory")
"""Systems in the line charts, where they took part; all are in the table."""
HINDSIGHT = "best_fixed_hindsight"
KINDS = 20
COLUMNS = ("candidate_recall", "candidates_mean", "drawn_mean", "ms_p50", "ms_p99")
STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;font-size:13px;margin:1em 0}td,th{padding:3px 8px;"
    "text-align:right;border-bottom:1px solid #ddd}th:first-child{text-align:left}"
    "small{color:#777;display:block}svg{max-width:100%}"
)


def page(report: Mapping[str, Any]) -> str:
    """The page of a `report`."""
    k = int(report["k"])
    quality, systems = measure_names(k)[0], report["systems"]
    steps = [step["start"][:10] for step in report["steps"]]
    parts = [
        f"<h1>Replay of {escape(str(report['dataset']))}</h1>",
        f"<p>{report['searches']:,} searches in {len(steps)} steps, after a warm-up of "
        f"{report['warmup_searches']:,}. Feedback: {escape(report['feedback'])}; "
        f"profile events {'known beforehand' if report['profile'] else 'left out'}. Budget: "
        f"{report['budget']:g} candidates a search in the mean. Intervals: 95%, by resampling users; "
        f"p against {REFERENCE}, corrected by Holm over all systems and measures.</p>",
        f"<p><b>What was learnt from.</b> {escape(report['feedback_note'])}</p>",
        table(systems, tuple(dict.fromkeys((*measure_names(k), *COLUMNS))), REFERENCE),
        "<h2>Quality against candidates</h2>",
        chart(_against_candidates(report, quality), "candidates, mean", quality, lines=True),
        "<h2>Learning curve</h2>",
        chart(_over_steps(report["steps_of"]), "step", quality, lines=True, ticks=steps),
        "<h2>What is asked of which generator, by kind of query</h2>",
        _asked(report),
        f"<h2>Cumulative regret</h2><p>{quality} lost, summed over searches, against the best "
        "fixed plan found in hindsight; below 0 a system is ahead of it.</p>",
        chart(_regret(report), "step", "regret", lines=True, ticks=steps),
        positions_drawn(report["examination"]),
        "<h2>What only one generator finds</h2>",
        _marginal(report["marginal_recall"]),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Replay</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def table(systems: Mapping[str, Any], keys: Sequence[str], reference: str) -> str:
    """Figures of systems with their intervals, and how far the first is from that of a reference."""
    head = "".join(f"<th>{key}</th>" for key in keys)
    rows = ""
    for name, figures in systems.items():
        compared = figures.get(f"against_{reference}", {}).get(keys[0])
        p = (
            ""
            if compared is None
            else f"{compared['difference']:+.4f}<small>p {compared['p_holm']:.2g}</small>"
        )
        cells = "".join(
            f"<td>{figures[key]:.4g}<small>{figures[f'{key}_interval'][0]:.3g}–"
            f"{figures[f'{key}_interval'][1]:.3g}</small></td>"
            for key in keys
        )
        rows += f"<tr><th>{escape(name)}</th>{cells}<td>{p}</td></tr>"
    return f"<table><tr><th>system</th>{head}<th>Δ {keys[0]}</th></tr>{rows}</table>"


def _against_candidates(
    report: Mapping[str, Any], quality: str
) -> dict[str, list[tuple[float, float]]]:
    series = {
        name: [(figures["candidates_mean"], figures[quality])]
        for name, figures in report["systems"].items()
    }
    for name, curve in report.get("curves", {}).items():
        series[name] = [(point["candidates_mean"], point[quality]) for point in curve]
    return series


def _over_steps(
    steps_of: Mapping[str, Sequence[float | None]],
) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [(float(i), value) for i, value in enumerate(steps_of[name]) if value is not None]
        for name in COMPARED
        if name in steps_of
    }


def _regret(report: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    steps_of, sizes = report["steps_of"], [step["searches"] for step in report["steps"]]
    if HINDSIGHT not in steps_of:
        return {}
    series = {}
    for name in (name for name in COMPARED if name in steps_of):
        lost = [
            size * ((best or 0.0) - (value or 0.0))
            for size, best, value in zip(sizes, steps_of[HINDSIGHT], steps_of[name], strict=True)
        ]
        series[name] = [(float(i), value) for i, value in enumerate(accumulate(lost))]
    return series


def _asked(report: Mapping[str, Any]) -> str:
    kinds = list(report["plans"].items())[:KINDS]
    rows = {f"{kind} ({plan['searches']:,})": plan["depths"] for kind, plan in kinds}
    return heat(rows, float(report["ladder"][-1]))


def _marginal(found: Mapping[str, Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{one['recall']:.4f}</td><td>{one['marginal']:.4f}<small>"
        f"{one['marginal_interval'][0]:.4f}–{one['marginal_interval'][1]:.4f}</small></td></tr>"
        for name, one in found.items()
    )
    return f"<table><tr><th>generator</th><th>recall</th><th>only it</th></tr>{rows}</table>"
