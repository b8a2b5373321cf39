// The conversation: each line goes with the turns before it; what was understood and found stands below the answer.

import { post } from "./api.js";
import { byId, el, toast } from "./dom.js";
import { drawHits, planStrip } from "./hits.js";

const SHOWN = 5, KEPT = 20;
let turns = [];
let last = Promise.resolve();

/** One turn after the other: each needs the answer to the one before. */
const inTurn = (what) => (last = last.then(what));
const say = (text) => inTurn(() => turn(text));

function context() {
  const user = byId("user").value.trim();
  return { turns: turns.slice(-KEPT), ...(user ? { user } : {}) };
}

async function turn(text) {
  if (!turns.length) byId("said").replaceChildren();
  mine(text);
  const asked = { text, k: SHOWN, context: context() };
  await answered("/v1/chat", asked);
}

/** An answer to which one is meant. */
async function choose(item, impression, list) {
  for (const button of list.querySelectorAll("button")) button.disabled = true;
  mine(item.text);
  if (await answered("/v1/chat/choice", { impression_id: impression, item: item.id })) {
    toast(`Chosen: ${item.text}. It learns from this at the next “Learn”.`);
    document.dispatchEvent(new CustomEvent("feedback"));
    byId("turn").focus();
  } else for (const button of list.querySelectorAll("button")) button.disabled = false;
}

const mine = (text) => byId("said").append(el("p.mine", el("span.unseen", "You: "), text));

/** Ask, and draw the answer; false where there was none. */
async function answered(path, body) {
  let answer;
  try {
    answer = await post(path, body);
  } catch (problem) {
    byId("said").append(el("p.theirs.note", problem.message));
    return false;
  }
  turns.push(...answer.turns);
  const node = el("div.theirs", el("p.reply", el("span.unseen", "ltrr: "), answer.reply), choices(answer), understood(answer),
    answer.notes.map((note) => el("p.note", note)),
    answer.results.map((result) => [
      ...drawHits(result, { query: result.query.text, k: SHOWN, context: body.context }, async () => result.impression_id),
      el("div.plan", planStrip(result.plan)),
    ]));
  byId("said").append(node);
  node.scrollIntoView({ block: "nearest", behavior: "smooth" });
  // What is said after a goodbye begins anew.
  if (answer.actions.some((action) => action.name === "stop")) turns = [];
  return true;
}

/** Those to choose from, where the answer asks which one is meant. */
function choices(answer) {
  const [result] = answer.results;
  if (!result || !answer.actions.some((action) => action.name === "ask_which")) return null;
  const list = el("ul.choices", { "aria-label": "Which one?" }, answer.about.map((item) =>
    el("li", el("button", { type: "button", onclick: () => inTurn(() => choose(item, result.impression_id, list)) }, item.text))));
  return list;
}

/** What the line was taken for: as it would stand alone, what is done with it, else the fields read in it. */
function understood(answer) {
  const [result] = answer.results;
  if (!result) return null;
  const { typed, text, reading } = result.query;
  const done = answer.actions.filter(({ name, arguments: given }) => name !== "ask_which" && Object.keys(given).length && !("query" in given));
  const fields = done.length ? [] : (reading?.spans ?? []).map((span) => field([span.field, span.value]));
  if (typed === text && !fields.length && !done.length) return null;
  return el("p.understood", "Understood: ", typed === text ? null : el("q", text), fields,
    done.map(({ name, arguments: given }) => el("span", " ", el("b", name.replaceAll("_", " ")), Object.entries(given).map(field))));
}

const field = ([name, value]) => el("span.field", el("span", `${name.replace(/^(not_|-)/, "not ")} `), value);

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
