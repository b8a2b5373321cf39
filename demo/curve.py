"""The learning curve as a picture: success over searches, the engine among what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from demo.comparison import FIXED, LTRR, MINMAX, ORACLE, RRF

STRONG = {
    LTRR: ("#c0392b", "-", 3.0), ORACLE: ("#5f6b76", ":", 1.8), FIXED: ("#2c6fbb", "--", 1.8),
    RRF: ("#2e8b57", "--", 1.8), MINMAX: ("#8e5ea2", "--", 1.8),
}  # fmt: skip
"""Colour, line and width of what is not a single generator; those are drawn thin."""
THIN = ("#d98324", "#17a2b8", "#a0522d", "#b5338a", "#6b8e23", "#33415c", "#e0a100", "#7f8c8d")
APART = 2.6
"""Percentage points between two names beside the lines."""


def draw(
    curves: Mapping[str, Sequence[float]], ends: Sequence[int], title: str, path: Path
) -> None:
    """Write a PNG. `curves`: per system, success as a share in each round; `ends`: the searches made
    by the end of each round."""
    figure = Figure(figsize=(10, 5.6), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    middles = [(start + end) / 2 for start, end in zip([0, *list(ends)[:-1]], ends, strict=True)]
    thin = iter(THIN * len(curves))
    labels: list[tuple[float, str, str]] = []
    for name, values in curves.items():
        colour, line, width = STRONG.get(name, (next(thin), "-", 1.1))
        percent = [100.0 * value for value in values]
        axes.plot(middles, percent, line, color=colour, linewidth=width, marker="o", markersize=3)
        labels.append((percent[-1], name, colour))
    below = -APART
    for height, name, colour in sorted(labels):
        below = max(height, below + APART)
        axes.annotate(
            name,
            (1.01, below),
            xycoords=("axes fraction", "data"),
            color=colour,
            va="center",
            fontsize=9,
            fontweight="bold" if name == LTRR else "normal",
            annotation_clip=False,
        )
    axes.set_xlabel("searches made")
    axes.set_ylabel("searches with the wanted item in the first ten, %")
    axes.set_xlim(0, ends[-1])
    axes.set_ylim(0, max(100.0, below + APART))
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(axis="y", alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.subplots_adjust(left=0.07, right=0.85, top=0.92, bottom=0.1)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
