// The same query before and after learning: two lists, and lines between the same items.

import { search } from "./api.js";
import { byId, el, svg } from "./dom.js";
import { planStrip } from "./hits.js";
import { current, searchNow } from "./searching.js";

const ROWS = 10, HEIGHT = 1.9;
let before = null;

/** Keep what is on screen, to be compared with what comes after learning. */
export function remember() {
  const now = current();
  before = now && { asked: now.asked, hits: now.answer.hits.slice(0, ROWS), plan: now.answer.plan };
}

/** Search again for what was remembered, and draw both. */
export async function compare() {
  if (!before) return;
  const { asked, hits, plan } = before;
  const answer = await search({ ...asked, preview: true });
  const after = answer.hits.slice(0, ROWS);
  const card = byId("compare");
  card.replaceChildren(
    el("header", el("h2", { id: "compare-title" }, `“${asked.query || "what is popular"}” before and after`),
      el("button.quiet", { type: "button", "aria-label": "Close the comparison", onclick: () => { card.hidden = true; } }, "✕")),
    el("p", { role: "status" }, inWords(hits, after)),
    el("div.slopes", el("h3", "before"), el("span"), el("h3", "after"), column(hits), lines(hits, after), moved(hits, after)),
    el("div.then", el("p", "The plan before"), ...planStrip(plan), el("p", "and after"), ...planStrip(answer.plan)));
  card.hidden = false;
  const shown = JSON.stringify(current()?.asked) === JSON.stringify(asked);
  if (shown) await searchNow(true);
  card.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

const place = (hits, id) => hits.findIndex((hit) => hit.id === id);

function inWords(hits, after) {
  const rose = after.filter((hit, rank) => place(hits, hit.id) > rank).length;
  const came = after.filter((hit) => place(hits, hit.id) < 0).length;
  if (!rose && !came && hits.length === after.length) return "The order is the same: nothing that was learnt speaks against it.";
  const first = after[0] && after[0].id !== hits[0]?.id ? ` First now: ${after[0].title}.` : "";
  return `${rose} rose, ${came} came in, ${hits.filter((hit) => place(after, hit.id) < 0).length} left.${first}`;
}

const column = (hits) => el("ol", hits.map((hit, rank) => el("li", el("i", rank + 1), el("span", { title: hit.title }, hit.title))));

function moved(hits, after) {
  return el("ol", after.map((hit, rank) => {
    const was = place(hits, hit.id);
    const [kind, sign, says] = was < 0 ? ["came", "new", "new"]
      : was > rank ? ["rose", `▲${was - rank}`, `up ${was - rank}`]
      : was < rank ? ["fell", `▼${rank - was}`, `down ${rank - was}`] : ["stayed", "", ""];
    return el(`li.${kind}`, el("i", rank + 1), el("span", { title: hit.title }, hit.title), says ? el("b", { "aria-label": says, role: "img" }, sign) : null);
  }));
}

function lines(hits, after) {
  const rows = Math.max(hits.length, after.length, 1);
  const middle = (rank) => (rank + 0.5) * HEIGHT;
  const drawn = svg("svg", { viewBox: `0 0 10 ${rows * HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true", style: { height: `${rows * HEIGHT}rem` } });
  after.forEach((hit, rank) => {
    const was = place(hits, hit.id);
    if (was < 0) return;
    const path = `M0.4 ${middle(was)} C5 ${middle(was)} 5 ${middle(rank)} 9.6 ${middle(rank)}`;
    drawn.append(svg(`path.${was > rank ? "rose" : was < rank ? "fell" : "stayed"}`, { d: path }));
  });
  return drawn;
}
