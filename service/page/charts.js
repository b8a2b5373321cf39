// Small charts as SVG, and the same in words for whoever can't see them.

import { el, number, svg } from "./dom.js";

const WIDTH = 400, LEFT = 34, RIGHT = 8, TOP = 8, FOOT = 20;

/** A frame with a scale; `x` and `y` map values to places. */
function frame({ height, xs, top, ticks, format, says, marks = [], xName }) {
  const inner = WIDTH - LEFT - RIGHT, tall = height - TOP - FOOT;
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const x = (value) => LEFT + (high > low ? ((value - low) / (high - low)) * inner : inner / 2);
  const y = (value) => TOP + tall - (Math.min(value, top) / top) * tall;
  const node = svg("svg.chart", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": says });
  for (const tick of ticks) {
    node.append(svg("line.grid", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }),
      svg("text", { x: LEFT - 5, y: y(tick) + 4, "text-anchor": "end" }, format(tick)));
  }
  for (const at of marks) if (at > low && at < high) node.append(svg("line.learnt", { x1: x(at), x2: x(at), y1: TOP, y2: TOP + tall }));
  node.append(svg("text", { x: LEFT, y: height - 4 }, xName(low)),
    svg("text", { x: WIDTH - RIGHT, y: height - 4, "text-anchor": "end" }, xName(high)));
  return { node, x, y };
}

const afterSearches = (count) => `${number(count)} searches`;
const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** Round numbers from 0 to at least `top`. */
export function ticksTo(top, count = 3) {
  if (top === 1) return [0, 0.5, 1];
  const raw = top / count, power = 10 ** Math.floor(Math.log10(raw || 1));
  const step = [1, 2, 2.5, 5, 10].map((s) => s * power).find((s) => s * count >= top) ?? raw;
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** Lines over x. `series`: [{ name, cls, values, thin }]; `marks`: where it has learnt. */
export function lines({ xs, series, format, says, marks, xName = afterSearches, height = 150, top = null }) {
  const most = top ?? Math.max(...series.flatMap((one) => one.values), 1e-9);
  const ticks = ticksTo(most);
  const { node, x, y } = frame({ height, xs, top: ticks.at(-1), ticks, format, says, marks, xName });
  for (const one of series) {
    const points = one.values.map((value, i) => [x(xs[i]), y(value)]);
    node.append(svg(`path.line.${one.cls}${one.thin ? ".thin" : ""}`, { d: path(points) }));
    const last = points.at(-1);
    node.append(svg(`circle.spot.${one.cls}`, { cx: last[0], cy: last[1], r: 3.5 }));
  }
  return node;
}

/** Areas stacked on each other. */
export function stacked({ xs, series, says, marks, xName = afterSearches, height = 170 }) {
  const sums = xs.map((_, i) => series.reduce((sum, one) => sum + one.values[i], 0));
  const ticks = ticksTo(Math.max(...sums, 1));
  const { node, x, y } = frame({ height, xs, top: ticks.at(-1), ticks, format: number, says, marks, xName });
  const base = xs.map(() => 0);
  for (const one of series) {
    const below = xs.map((at, i) => [x(at), y(base[i])]);
    one.values.forEach((value, i) => { base[i] += value; });
    const above = xs.map((at, i) => [x(at), y(base[i])]);
    node.prepend(svg(`path.area.${one.cls}`, { d: `${path(above)}L${path(below.reverse()).slice(1)}Z` }));
  }
  return node;
}

/** Names of the series with their last values. */
export const legend = (series, format) => el("ul.legend", series.map((one) =>
  el(`li.dot.${one.cls}`, `${one.name} `, el("b", format(one.values.at(-1))))));

export const empty = (text) => el("p.empty", text);
