"""Charts as SVG text, without anything outside the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

COLOURS = (
    "#c0392b", "#2c6fbb", "#2e8b57", "#8e5ea2", "#d98324", "#5f6b76",
    "#17a2b8", "#a0522d", "#b5338a", "#6b8e23", "#33415c", "#e0a100", "#7f8c8d",
)  # fmt: skip
WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 16, 48
Point = tuple[float, float]


def chart(
    series: Mapping[str, Sequence[Point]], x: str, y: str, *, lines: bool, ticks: Sequence[str] = ()
) -> str:
    """Points, or lines through them, each series with its name. `ticks` name whole x values."""
    points = [point for some in series.values() for point in some]
    if not points:
        return "<p>nothing to draw</p>"
    xs, ys = _span([p[0] for p in points]), _span([*(p[1] for p in points), 0.0])

    def at(point: Point) -> tuple[float, float]:
        across = (point[0] - xs[0]) / (xs[1] - xs[0])
        up = (point[1] - ys[0]) / (ys[1] - ys[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )

    parts = _axes(xs, ys, x, y, ticks, at)
    names: list[tuple[float, float, str, str]] = []
    for place, (name, some) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        drawn = [at(point) for point in some]
        if lines and len(drawn) > 1:
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in drawn)
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
        for (a, b), point in zip(drawn, some, strict=True):
            parts.append(
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{3 if lines else 5}" fill="{colour}">'
                f"<title>{escape(name)}: {point[0]:.4g}, {point[1]:.4g}</title></circle>"
            )
        if drawn:
            names.append((*drawn[-1], name, colour))
    return _svg([*parts, *_labels(names)])


def _labels(names: list[tuple[float, float, str, str]]) -> list[str]:
    """Names beside the last points, moved apart where they would lie on each other."""
    parts = []
    below = 0.0
    for a, b, name, colour in sorted(names, key=lambda label: label[1]):
        height = max(b, below + 13.0)
        below = height
        side = WIDTH - RIGHT + 10
        parts.append(
            f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{side}" y2="{height:.1f}" stroke="{colour}" '
            f'stroke-width="0.5" opacity="0.35"/><text x="{side + 3}" y="{height + 4:.1f}" '
            f'fill="{colour}">{escape(name)}</text>'
        )
    return parts


def heat(rows: Mapping[str, Mapping[str, float]], highest: float) -> str:
    """A table of shaded cells, as HTML."""
    columns = list(next(iter(rows.values()), {}))
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = ""
    for name, cells in rows.items():
        body += f"<tr><th>{escape(name)}</th>"
        for column in columns:
            value = cells[column]
            shade = min(value / highest, 1.0) if highest else 0.0
            body += f'<td style="background:rgba(44,111,187,{0.7 * shade:.3f})">{value:.1f}</td>'
        body += "</tr>"
    return f"<table><tr><th></th>{head}</tr>{body}</table>"


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - 0.5, high + 0.5
    return low - 0.03 * (high - low) * (low < 0), high + 0.05 * (high - low)


def _axes(
    xs: Point, ys: Point, x: str, y: str, ticks: Sequence[str], at: Callable[[Point], Point]
) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#999"/>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>',
        f'<text x="14" y="{(TOP + bottom) / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {(TOP + bottom) / 2})">{escape(y)}</text>',
    ]
    every = max(1, len(ticks) // 8)
    across = (
        [(float(i), name) for i, name in enumerate(ticks) if i % every == 0]
        if ticks
        else [(value, f"{value:.3g}") for value in _round_values(xs)]
    )
    for value, name in across:
        a, _ = at((value, ys[0]))
        parts.append(
            f'<text x="{a:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(name)}</text>'
        )
    for value in _round_values(ys):
        _, b = at((xs[0], value))
        parts.append(
            f'<path d="M{LEFT} {b:.1f}H{right}" stroke="#eee"/>'
            f'<text x="{LEFT - 6}" y="{b + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        )
    return parts


def _round_values(span: Point) -> list[float]:
    """About five round numbers within a span."""
    size = 10.0 ** math.floor(math.log10((span[1] - span[0]) / 2.0))
    step = next(s for s in (size, 2 * size, 5 * size, 10 * size) if (span[1] - span[0]) / s <= 6)
    first = math.ceil(span[0] / step)
    return [step * i for i in range(first, math.floor(span[1] / step) + 1)]


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">'
        + "".join(parts)
        + "</svg>"
    )
