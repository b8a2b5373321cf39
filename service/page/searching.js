// The search view: as one types previews, at rest a logged search; feedback logs a preview first.

import { get, search } from "./api.js";
import { byId, el } from "./dom.js";
import { drawHits, plural, planStrip, summary } from "./hits.js";

const TYPING = 160, RESTING = 900, SHOWN = 12;
const state = { kind: "", answer: null, asked: null, asking: null, typing: 0, resting: 0 };

/** The search on screen, or null. */
export const current = () => (state.answer ? { asked: state.asked, answer: state.answer } : null);

function request() {
  const user = byId("user").value.trim();
  return {
    query: byId("query").value.trim(), k: SHOWN,
    context: { ...(user ? { user } : {}), ...(state.kind ? { filters: { type: state.kind } } : {}) },
  };
}

/** Search for what stands in the box; `preview`: without logging it. */
export async function searchNow(preview) {
  clearTimeout(state.typing);
  if (!preview) clearTimeout(state.resting);
  state.asking?.abort();
  const asking = (state.asking = new AbortController());
  const asked = request();
  try {
    show(await search({ ...asked, preview }, asking.signal), asked);
  } catch (problem) {
    if (problem.name !== "AbortError") byId("answered").replaceChildren(el("span.note", problem.message));
  }
}

function show(answer, asked) {
  const same = state.asked && JSON.stringify(state.asked) === JSON.stringify(asked) && state.answer
    && answer.hits.map((hit) => hit.id).join() === state.answer.hits.map((hit) => hit.id).join();
  Object.assign(state, { answer, asked });
  tell(answer);
  byId("plan").hidden = false;
  byId("plan").replaceChildren(...planStrip(answer.plan));
  byId("intro").hidden = Boolean(asked.query);
  // What is under somebody's finger stays where it is when only the impression is new.
  if (!same) byId("results").replaceChildren(...drawHits(answer, asked, impression));
  document.dispatchEvent(new CustomEvent("searched"));
}

function tell(answer) {
  byId("answered").replaceChildren(...summary(answer).filter(Boolean));
  byId("answered").dataset.logged = answer.impression_id ? "yes" : "no";
}

async function impression() {
  if (!state.answer.impression_id) {
    clearTimeout(state.resting);
    const answer = await search(state.asked);
    state.answer = { ...state.answer, impression_id: answer.impression_id };
    tell(state.answer);
  }
  return state.answer.impression_id;
}

function typed() {
  clearTimeout(state.typing);
  clearTimeout(state.resting);
  byId("compare").hidden = true;
  state.typing = setTimeout(() => searchNow(true), TYPING);
  if (byId("query").value.trim()) state.resting = setTimeout(() => searchNow(false), RESTING);
}

/** Put a query into the box and search. */
export function ask(query) {
  byId("query").value = query;
  searchNow(false);
}

/** Listeners, kinds, suggestions. */
export async function startSearching(about) {
  byId("query").addEventListener("input", typed);
  byId("user").addEventListener("input", typed);
  byId("search").addEventListener("submit", (event) => { event.preventDefault(); searchNow(false); });
  const types = Object.keys(about.types);
  const kinds = types.length > 1 ? ["", ...types] : [];
  byId("kinds").replaceChildren(...kinds.map((kind) =>
    el("button", {
      type: "button", "aria-pressed": String(kind === state.kind), onclick: (event) => {
        state.kind = kind;
        for (const button of byId("kinds").children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
        searchNow(!byId("query").value.trim());
      },
    }, kind ? plural(kind) : "All")));
  const suggested = about.suggested.slice(0, 5);
  byId("suggested").replaceChildren("Try ", ...suggested.map((title) => el("button", { type: "button", onclick: () => ask(title) }, title)));
  await searchNow(true);
}

/** The items whose names are alike, for the box of the missing one. */
export const alike = (name) => search({ query: name, k: 8, preview: true });
export const aboutServer = () => get("/v1/about");
