// The tree of why a result stands where it stands: query, plan, who brought it, what moved its score.

import { search } from "./api.js";
import { ABOUT, el, hue, number } from "./dom.js";

const KINDS = {
  name: "the exact name of", value: "a value of a field, such as a genre", words: "words that all occur",
  part: "words of which some occur", unknown: "words that never occur", empty: "nothing typed",
};

/** "name:track/new/user" in words. */
export function kindInWords(kind) {
  const [entity, seen, user] = kind.split("/");
  const [what, type] = entity.split(":");
  const named = what === "name" ? `${KINDS.name} ${type === "several" ? "several kinds" : `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`}` : KINDS[what] ?? entity;
  return [named, seen === "seen" ? "clicked for before" : null, user === "user" ? "by somebody known" : null].filter(Boolean).join(", ");
}

/** A drawing of the way to one hit; asks for the explanation, which logs nothing. */
export async function drawWhy(hit, asked) {
  let told;
  try {
    told = await search({ ...asked, preview: true, explain: true });
  } catch (problem) {
    return el("div.why", problem.message);
  }
  const { kind, ranker, steps, contributions } = told.explanation;
  const now = told.hits.find((one) => one.id === hit.id) ?? hit;
  const parts = Object.entries(contributions[hit.id] ?? {});
  return el("div.why",
    el("ul.tree", { "aria-label": `Why ${hit.title} is at rank ${now.rank}` },
      el("li", el("span.node", `“${asked.query}”`), el("span.soft", `: ${kindInWords(kind)}. So the bandit asked:`),
        el("ul",
          steps.map((step) => drawStep(step, now.sources[step.generator])),
          el("li",
            el("span.node", ranker === "rrf" ? "Fusion of their ranks" : "The learnt ranker"),
            el("span.soft", ` then gave it ${number(now.score, 3)}: rank `), el("b", now.rank),
            el("span.soft", ` of ${told.candidates} candidates.`),
            parts.length ? drawParts(parts) : el("p.soft", "No ranker is learnt yet; a few dozen clicks and a “Learn” change that."))))));
}

function drawStep(step, source) {
  const name = el(`span.node.dot.${hue(step.generator)}`, step.generator);
  const what = ABOUT[step.generator] ? ` (${ABOUT[step.generator]})` : "";
  if (!step.depth && !source) return el("li.absent", name, `${what} was not asked.`);
  const asked = step.depth ? ` for ${step.depth}, got ${step.found}` : ` to fill the page, got ${step.found}`;
  const gain = step.gain === null ? "" : `, expecting ${number(step.gain, 2)} clicks`;
  return el(`li.${hue(step.generator)}${source ? ".brought" : ""}`, name, el("span.soft", `${what}${asked}${gain}`),
    source ? ["; it has this at rank ", el("b", source.rank)] : el("span.soft", "; this was not among them"), ".");
}

function drawParts(parts) {
  const most = Math.max(...parts.map(([, value]) => Math.abs(value)));
  return el("div.parts", parts.map(([feature, value]) =>
    el("div.part", el("span", feature),
      el("div.axis", { "aria-hidden": "true" }, el(`span.${value >= 0 ? "up" : "down"}`, { style: { width: `${50 * Math.abs(value) / most}%` } })),
      el("span", `${value >= 0 ? "+" : "−"}${number(Math.abs(value), 2)}`))));
}
