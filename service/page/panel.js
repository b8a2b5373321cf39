// The panel's pictures: quality and candidates over time, regret, depths, beliefs, position bias.

import { get } from "./api.js";
import { empty, legend, lines, stacked, ticksTo } from "./charts.js";
import { ABOUT, byId, counted, el, hue, number, percent } from "./dom.js";
import { kindInWords } from "./why.js";

const SYSTEMS = { ltrr: "ltrr", rrf: "plain fusion", fixed: "best fixed plan", oracle: "oracle plan" };
const classOf = { ltrr: "s-ltrr", rrf: "s-rrf", "best fixed plan": "s-fixed", "oracle plan": "s-oracle" };
let chosen = null;

/** Read everything and draw it. */
export async function refreshPanel() {
  const [about, traffic, policy, learning] = await Promise.all(["/v1/about", "/v1/traffic", "/v1/policy", "/v1/learn"].map(get));
  byId("counts").replaceChildren(
    counted(about.documents, "document"), " · ", el("b", counted(about.searches, "search")), " and ",
    el("b", counted(about.events, "event")), " in the log · learnt ", el("b", counted(about.version, "time")));
  const marks = learning.history.map((one) => one.searches_logged);
  drawTraffic(traffic.stretches, policy, marks);
  drawBeliefs(policy);
  drawBias(policy);
  return { about, learning };
}

function drawTraffic(all, policy, marks) {
  // A stretch that has only begun says too little, unless there is no other.
  const most = Math.max(...all.map((one) => one.searches));
  const stretches = all.filter((one) => 2 * one.searches > most);
  if (stretches.length < 2) {
    for (const id of ["quality", "depths"]) byId(id).replaceChildren(empty("Nothing yet. Search a little, or let listeners do it."));
    return;
  }
  const xs = stretches.map((one) => one.until);
  const quality = [
    { name: "searches with a click", cls: "s-clicked", values: stretches.map((one) => one.clicked) },
    { name: "MRR of the first click", cls: "s-mrr", values: stretches.map((one) => one.mrr) },
  ];
  const candidates = [{ name: "candidates a search", cls: "s-candidates", values: stretches.map((one) => one.candidates) }];
  const first = stretches[0], last = stretches.at(-1);
  byId("quality").replaceChildren(
    legend(quality, percent),
    lines({ xs, series: quality, format: percent, marks, top: 1, height: 140,
      says: `Searches with a click on the first ten went from ${percent(first.clicked)} to ${percent(last.clicked)}.` }),
    legend(candidates, (value) => number(value, 1)),
    lines({ xs, series: candidates, format: number, marks, height: 110,
      says: `Candidates a search went from ${number(first.candidates, 1)} to ${number(last.candidates, 1)}; the budget is ${number(policy.budget)}.` }),
    el("p.chart-says", `Dotted: when it learnt. The budget is ${number(policy.budget)} candidates in the mean.`));
  const depths = policy.generators.map((name) => ({ name, cls: hue(name), values: stretches.map((one) => one.depths[name] ?? 0) }));
  const says = depths.map((one) => `${one.name} from ${number(one.values[0], 1)} to ${number(one.values.at(-1), 1)}`).join(", ");
  byId("depths").replaceChildren(legend(depths, (value) => number(value, 1)), stacked({ xs, series: depths, marks, says: `Mean depth asked: ${says}.` }));
}

function drawBeliefs(policy) {
  const kinds = policy.kinds.slice(0, 9);
  const deepest = policy.ladder.at(-1);
  if (!kinds.some((one) => one.kind === chosen)) chosen = kinds[0]?.kind ?? null;
  const table = el("table",
    el("thead", el("tr", el("th.corner", { scope: "col" }, el("span.unseen", "Kind of query")), policy.generators.map((name) => el("th", { scope: "col" }, el(`span.dot.${hue(name)}`, { title: ABOUT[name] }, name))))),
    el("tbody", kinds.map((one) => el("tr",
      el("th", { scope: "row" }, el("button", {
        type: "button", "aria-pressed": String(one.kind === chosen), title: `${number(one.searches)} searches learnt from`,
        onclick: () => { chosen = one.kind; drawBeliefs(policy); byId("beliefs").querySelector("[aria-pressed=true]")?.focus(); },
      }, kindInWords(one.kind))),
      one.generators.map((g) => el(`td.${hue(g.generator)}`, { style: { "--share": Math.sqrt(g.depth / deepest) } }, el("span", number(g.depth))))))));
  const belief = kinds.find((one) => one.kind === chosen);
  const known = belief?.generators.filter((g) => g.gains.length) ?? [];
  const series = known.map((g) => ({ name: g.generator, cls: hue(g.generator), values: g.gains.map((gain) => Math.max(gain, 0)) }));
  byId("beliefs").replaceChildren(
    el("p", "The depth it plans to ask of each generator, by kind of query."),
    el("div.scroll", { tabindex: "0", role: "group", "aria-label": "Planned depth by kind of query" }, table),
    series.length ? el("div.curves", el("h3", `Clicks expected by depth: ${kindInWords(chosen)}`),
      lines({ xs: policy.ladder, series, format: (value) => number(value, 1), xName: (depth) => `${number(depth)} deep`, height: 140,
        says: series.map((one) => `${one.name} ${number(one.values.at(-1), 2)} at full depth`).join(", ") })) : "");
}

function drawBias(policy) {
  const curve = policy.examination.slice(0, 10);
  if (curve.length < 2) {
    byId("bias").replaceChildren(empty("Known once a ranker has been trained."));
    return;
  }
  const series = [{ name: "chance that a place is looked at, beside the first", cls: "s-mrr", values: curve }];
  byId("bias").replaceChildren(lines({
    xs: curve.map((_, i) => i + 1), series, format: percent, xName: (place) => `place ${place}`, top: 1, height: 130,
    says: `The tenth place is looked at ${percent(curve.at(-1))} as often as the first.` }),
    el("p.chart-says", `A click far down counts for more: place ${curve.length} is looked at ${percent(curve.at(-1))} as often as the first.`));
}

/** What simulated listeners found with several systems. `rounds`: of one visit. */
export function drawRegret(rounds) {
  byId("regret-card").hidden = rounds.length === 0;
  if (!rounds.length) return;
  const xs = [0, ...rounds.map((one) => one.until)];
  const others = Object.keys(rounds[0].regret).filter((name) => name !== "ltrr");
  const title = (name) => SYSTEMS[name] ?? name;
  const series = others.map((name) => ({ name: `to ${title(name)}`, cls: classOf[name] ?? "g-other", values: [0, ...rounds.map((one) => one.regret[name])] }));
  const last = rounds.at(-1);
  const values = series.flatMap((one) => one.values);
  const step = ticksTo(Math.max(...values, 1) - Math.min(...values, 0))[1];
  const lowest = -step * Math.ceil(-Math.min(0, ...values) / step);
  const shifted = series.map((one) => ({ ...one, values: one.values.map((value) => value - lowest) }));
  const found = Object.entries(last.success).map(([name, share]) => `${title(name)} ${percent(share)}`).join(", ");
  byId("regret").replaceChildren(
    el("p", "Searches that another system would have answered and this one did not, summed up; falling is good."),
    legend(series, (value) => number(value, 0)),
    lines({ xs, series: shifted, format: (value) => number(value + lowest), height: 130,
      says: series.map((one) => `Regret ${one.name}: ${number(one.values.at(-1))} searches`).join("; ") }),
    el("p.chart-says", `Wanted item on the first page, latest round: ${found}.`));
}
