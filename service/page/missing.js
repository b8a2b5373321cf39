// Why is this item not there? Asked by name, answered in words and by how deep each generator would have it.

import { post } from "./api.js";
import { byId, el, hue, number } from "./dom.js";
import { about } from "./hits.js";
import { alike, current } from "./searching.js";

const REACH = 1000;
const REASONS = {
  shown: "It is there.", unknown: "There is no such item.", filtered: "The filter leaves it out.",
  not_found: "No generator has it for this query.", cut: "A generator has it, deeper than it was asked for.",
  pruned: "It was drawn, and dropped as less probable than others.", outranked: "It was a candidate, and others scored higher.",
};
const known = new Map();
let typing = 0;

async function suggest() {
  const name = byId("item").value.trim();
  if (!name || known.has(name)) return;
  const answer = await alike(name);
  byId("items").replaceChildren(...answer.hits.map((hit) => {
    const says = [hit.title, about(hit).split(" · ")[0], hit.type].filter(Boolean).join(" – ");
    known.set(says, hit);
    return el("option", { value: says });
  }));
}

async function why() {
  const name = byId("item").value.trim();
  const now = current();
  if (!name || !now) return;
  const found = known.get(name) ?? (await alike(name)).hits[0];
  const told = await post("/v1/missing", { query: now.asked.query, context: now.asked.context, k: 10, item: found?.id ?? name });
  byId("missing-says").replaceChildren(
    el("p", el("strong", `${found?.title ?? name}: ${REASONS[told.reason]} `), `${told.message[0].toUpperCase()}${told.message.slice(1)}.`),
    Object.keys(told.ranks).length ? el("div.reach", Object.keys(told.depths).map((generator) => rail(generator, told))) : "",
    Object.keys(told.ranks).length ? el("p.scale", "Bar: how deep each was asked. Mark: where it has the item. The scale shrinks with depth.") : "",
    Object.keys(told.against).length ? el("p", `What spoke against it most: ${Object.keys(told.against).slice(0, 3).join(", ")}.`) : "");
}

/** On a scale of logarithms up to the reach: how deep was asked, and where the item is. */
function rail(generator, told) {
  const at = (depth) => `${(100 * Math.log1p(depth)) / Math.log1p(REACH)}%`;
  const depth = told.depths[generator], rank = told.ranks[generator];
  const says = rank ? `has it at ${number(rank)}, asked for ${depth}` : `not in its first ${number(REACH)}`;
  return el(`div.${hue(generator)}`, el(`span.dot.${hue(generator)}`, generator),
    el("div.rail", { "aria-hidden": "true" }, el("span", { style: { width: at(depth) } }), rank ? el("b", { style: { left: at(rank) } }) : null),
    el("span.says", says));
}

export function startMissing() {
  byId("item").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(suggest, 180); });
  byId("missing").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await why();
    } catch (problem) {
      byId("missing-says").replaceChildren(el("p.note", problem.message));
    }
  });
}
