// Learn now, simulate listeners, and the counters; before and after of the query on screen.

import { get, post, useToken } from "./api.js";
import { compare, remember } from "./compare.js";
import { byId, counted, number, percent, toast } from "./dom.js";
import { drawRegret, refreshPanel } from "./panel.js";

const EVERY = 700, LISTENERS = 1000;

function say(text, bad = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("bad", bad);
}

function busy(is) {
  byId("learn").disabled = byId("simulate").disabled = is;
}

const pause = () => new Promise((resolve) => { setTimeout(resolve, EVERY); });

async function refreshed() {
  await refreshPanel();
  await compare();
}

/** Learn, follow it, then show the same query before and after. */
export async function learn() {
  if (byId("learn").disabled) return;
  busy(true);
  remember();
  say("Learning …");
  try {
    const before = (await get("/v1/learn")).history.length;
    await post("/v1/learn");
    let state = await get("/v1/learn");
    while (state.running) {
      say(`Learning, ${number(state.seconds)} s so far. Searches go on meanwhile.`);
      await pause();
      state = await get("/v1/learn");
    }
    const last = state.history.at(-1);
    if (state.problem || state.history.length === before) throw new Error(state.problem ?? "nothing was learnt");
    const { report } = last;
    say(`Learnt from ${counted(report.searches, "search")} and ${counted(report.events, "event")} in ${number(report.seconds, 1)} s. Ranker: ${report.verdict}.`);
    toast("Learnt.");
    await refreshed();
  } catch (problem) {
    say(problem.message, true);
  }
  busy(false);
}

async function simulate() {
  busy(true);
  remember();
  try {
    await post("/v1/simulation", { searches: LISTENERS });
    await follow();
    await refreshed();
  } catch (problem) {
    say(problem.message, true);
  }
  byId("progress").hidden = true;
  busy(false);
}

/** Show how far listeners are until they are done. */
async function follow() {
  byId("progress").hidden = false;
  let learnt = -1;
  for (;;) {
    const told = await get("/v1/simulation");
    byId("bar").max = told.total || 1;
    byId("bar").value = told.done;
    const found = told.done ? ` ${percent(told.found / told.done)} found what they wanted.` : "";
    const doing = { learning: "It learns from them …", comparing: "Comparing with other systems …", searching: "They search …" }[told.stage];
    say(`${number(told.done)} of ${counted(told.total, "search")}.${found} ${doing ?? ""}`);
    if (told.rounds.length !== learnt) {
      learnt = told.rounds.length;
      drawRegret(told.rounds);
      await refreshPanel();
    }
    if (told.stage === "failed") throw new Error(told.problem);
    if (!doing) return;
    await pause();
  }
}

export async function startTeaching(about) {
  byId("learn").addEventListener("click", learn);
  byId("simulate").addEventListener("click", simulate);
  byId("simulate").hidden = !about.simulated;
  byId("key").hidden = !about.token;
  byId("token").addEventListener("input", (event) => useToken(event.target.value));
  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(refreshPanel, 1500); };
  document.addEventListener("feedback", soon);
  const { learning } = await refreshPanel();
  const last = learning.history.at(-1);
  say(last ? `Last learnt at ${new Date(last.at).toLocaleTimeString()}.` : "Click some results, then let it learn.");
  if (!about.simulated) return;
  const told = await get("/v1/simulation");
  drawRegret(told.rounds);
  // Listeners of another visitor, or from before the page was opened anew.
  if (["searching", "comparing", "learning"].includes(told.stage)) attend();
}

async function attend() {
  busy(true);
  try {
    await follow();
  } catch (problem) {
    say(problem.message, true);
  }
  byId("progress").hidden = true;
  busy(false);
}
