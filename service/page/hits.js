// Results: grouped by kind, each with who found it, and what one can do with it.

import { post } from "./api.js";
import { ABOUT, counted, el, hue, number, toast } from "./dom.js";
import { drawWhy } from "./why.js";

const BY = ["artist", "artists", "author", "authors", "creator", "brand"];
export const DONE = { click: "Clicked", play: "Played", skip: "Skipped" };

/** What to call a kind of many. */
export const plural = (type) => (type ? type[0].toUpperCase() + type.slice(1) + (type.endsWith("s") ? "" : "s") : "Results");

/** Whose work it is, its genre and year, as far as is known. */
export function about(hit) {
  const by = BY.map((key) => hit.metadata[key]).find(Boolean);
  const genre = [hit.metadata.genre].flat()[0];
  const parts = [[by].flat().filter(Boolean).join(", "), hit.metadata.album, hit.metadata.year, genre];
  return parts.filter((part) => part && part !== hit.title).join(" · ") || hit.text.slice(0, 120);
}

export function chips(hit) {
  const found = Object.entries(hit.sources).sort((a, b) => a[1].rank - b[1].rank);
  return el("ul.chips", { "aria-label": "Found by" }, found.map(([name, at]) =>
    el(`li.dot.${hue(name)}`, { title: `${name} (${ABOUT[name] ?? "your own"}) has it at rank ${at.rank}` },
      name, " ", el("b", at.rank))));
}

/** The depths asked of each generator, as a strip and in words. */
export function planStrip(plan) {
  const asked = Object.entries(plan);
  return [
    el("div.strip", { "aria-hidden": "true" }, asked.filter(([, depth]) => depth).map(([name, depth]) =>
      el(`span.${hue(name)}`, { style: { "flex-grow": depth } }))),
    el("ul.legend", { "aria-label": "The plan: how many candidates were asked of each generator" },
      asked.map(([name, depth]) =>
        el(`li.dot.${hue(name)}${depth ? "" : ".none"}`, { title: ABOUT[name] }, name, " ", el("b", depth || "not asked")))),
  ];
}

/**
 * Results as groups; `asked` is the search, `impression()` gives the id that feedback refers to, logging the
 * search first where it was only a preview.
 */
export function drawHits(answer, asked, impression) {
  if (!answer.hits.length) return [el("p.nothing", "Nothing found. Fewer letters, or another kind?")];
  const groups = new Map();
  for (const hit of answer.hits) groups.set(hit.type, [...(groups.get(hit.type) ?? []), hit]);
  return [...groups].map(([type, hits]) =>
    el("section.group", { "aria-label": plural(type) },
      el("h2", plural(type)),
      el("ol", hits.map((hit) => drawHit(hit, asked, impression)))));
}

function drawHit(hit, asked, impression) {
  const done = async (action, button) => {
    try {
      await post("/v1/feedback", { impression_id: await impression(), events: [{ action, document: hit.id }] });
    } catch (problem) {
      toast(problem.message);
      return;
    }
    button.setAttribute("aria-pressed", "true");
    if (action !== "skip") item.classList.add("clicked");
    toast(`${DONE[action]}: ${hit.title}. It learns from this at the next “Learn”.`);
    document.dispatchEvent(new CustomEvent("feedback"));
  };
  const deed = (action, sign) =>
    el(`button.${action === "skip" ? "skipped" : action}`, {
      type: "button", "aria-pressed": "false", "aria-label": `${action === "skip" ? "Skip" : "Play"} ${hit.title}`, title: action,
      onclick: (event) => done(action, event.currentTarget),
    }, sign);
  const why = el("button", {
    type: "button", "aria-expanded": "false", "aria-label": `Why is ${hit.title} here?`,
    onclick: async () => {
      const open = item.querySelector(".why");
      why.setAttribute("aria-expanded", String(!open));
      if (open) open.remove();
      else item.append(await drawWhy(hit, asked));
    },
  }, "why?");
  const item = el("li.hit", { "data-id": hit.id },
    el("span.rank", { title: "rank over all kinds" }, hit.rank),
    el("div",
      el("button.name", { type: "button", "aria-pressed": "false", onclick: (event) => done("click", event.currentTarget) }, hit.title || hit.id),
      el("p.about", about(hit)),
      chips(hit)),
    el("div.deeds", deed("play", "▶"), deed("skip", "✕"), why));
  return item;
}

/** `10 results of 31 candidates in 7 ms`. */
export function summary(answer) {
  return [
    el("b", counted(answer.hits.length, "result")), ` of ${counted(answer.candidates, "candidate")} in `,
    `${number(answer.took, answer.took < 10 ? 1 : 0)} ms`,
    answer.impression_id ? "" : " · a preview, not logged",
    answer.notes.length ? el("span.note", ` · ${answer.notes.join("; ")}`) : null,
  ];
}
