// The conversation: each turn goes with those before it; results stand below the system's turn.

import { post } from "./api.js";
import { byId, el } from "./dom.js";
import { drawHits, planStrip } from "./hits.js";

const SHOWN = 5, KEPT = 20;
let turns = [];
let last = Promise.resolve();

/** One turn after the other: each needs the answer to the one before. */
const say = (text) => (last = last.then(() => turn(text)));

async function turn(text) {
  const said = byId("said");
  if (!turns.length) said.replaceChildren();
  said.append(el("p.mine", el("span.unseen", "You: "), text));
  const user = byId("user").value.trim();
  const context = { turns: turns.slice(-KEPT), ...(user ? { user } : {}) };
  let answer;
  try {
    answer = await post("/v1/chat", { text, k: SHOWN, context });
  } catch (problem) {
    said.append(el("p.theirs.note", problem.message));
    return;
  }
  const words = inWords(answer);
  turns.push({ speaker: "user", text }, answer.turn);
  const node = el("div.theirs", el("p", el("span.unseen", "ltrr: "), words),
    answer.results.map((result) => [
      ...drawHits(result, { query: result.query.text, k: SHOWN, context }, async () => result.impression_id),
      el("div.plan", planStrip(result.plan)),
    ]));
  said.append(node);
  node.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

/** What the system says: a dialogue manager's words where there are some, else what was found. */
function inWords(answer) {
  const said = answer.actions.map((action) => action.arguments.text).filter(Boolean).join(" ");
  return said || answer.turn.text;
}

function greet() {
  turns = [];
  const opening = (text) => el("button", { type: "button", onclick: () => say(text) }, text);
  byId("said").replaceChildren(el("div.hint", el("p", "Say what you would like to hear, and go on from what you get. What you click is learnt from here too."),
    el("p", opening("something calm for the evening"), opening("90s rock"), opening("songs by björk"))));
}

export function startChat() {
  greet();
  byId("chat").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("turn").value.trim();
    byId("turn").value = "";
    if (text) say(text);
  });
  byId("anew").addEventListener("click", () => { greet(); byId("turn").focus(); });
}
