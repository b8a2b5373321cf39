"""Position bias in reports: {"curve", "interval", "source", "impressions"}, and the same by surface."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from benchmarks.charts import chart
from rankers.position_bias import PositionBias
from rankers.surfaces import Surfaces

SOURCES = {
    "assumed": "assumed, before there were clicks",
    "given": "given by the configuration",
    "randomised": "from pages that chance changed",
    "harvested": "from equal pairs at different positions",
    "repeated": "from the clicks of pairs shown again and again",
    "regression": "by a regression on features (regression-EM)",
}


def positions_told(surfaces: Surfaces) -> dict[str, Any]:
    """Of all pages together; under "surfaces" each kind of page that has a curve of its own."""
    told = {name: _told(bias) for name, bias in surfaces.biases.items()}
    return told[""] | {"surfaces": {name: one for name, one in told.items() if name}}


def _told(bias: PositionBias) -> dict[str, Any]:
    examination = bias.examination
    sure = examination.errors is not None and bool(np.isfinite(examination.errors).all())
    return {
        "curve": examination.curve.tolist(),
        "interval": [end.tolist() for end in examination.interval()] if sure else None,
        "source": bias.source,
        "impressions": bias.impressions,
    }


def positions_drawn(told: Mapping[str, Any]) -> str:
    """A chart for all pages, and one for each kind with a curve of its own, with 95% intervals."""
    parts = [
        "<h2>Position bias</h2><p>How often each position is looked at, as a share of the first: what "
        "the engine takes it to be in the end.</p>"
    ]
    for name, one in {"all pages": told, **told["surfaces"]}.items():
        series = {"taken": one["curve"]}
        if one["interval"] is not None:
            series |= dict(zip(("at least", "at most"), one["interval"], strict=True))
        drawn = {
            label: [(float(place), value) for place, value in enumerate(values, start=1)]
            for label, values in series.items()
        }
        parts += [
            f"<p>{escape(name)}: {SOURCES[one['source']]}; {one['impressions']:,} impressions.</p>",
            chart(drawn, "position", "examination", lines=True),
        ]
    return "".join(parts)
