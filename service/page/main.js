// The page: views, theme, keyboard.

import { byId, toast } from "./dom.js";
import { startChat } from "./chat.js";
import { startMissing } from "./missing.js";
import { aboutServer, startSearching } from "./searching.js";
import { learn, startTeaching } from "./teaching.js";

const VIEWS = ["search", "chat", "learning"];

function go(view) {
  document.body.dataset.view = view;
  for (const button of document.querySelectorAll("[data-go]")) button.setAttribute("aria-pressed", String(button.dataset.go === view));
  if (view === "chat") byId("turn").focus();
}

function theme(name) {
  document.documentElement.dataset.theme = name;
}

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  theme(kept() ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => kept() ?? theme(dark.matches ? "dark" : "light"));
  byId("theme").addEventListener("click", () => {
    const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    theme(name);
    try { localStorage.setItem("theme", name); } catch { /* not kept, then */ }
  });
}

/** The result that has the focus, and its neighbours in the order of the page. */
function move(step) {
  const names = [...document.querySelectorAll(".hit .name")].filter((node) => node.offsetParent);
  const at = names.indexOf(document.activeElement?.closest(".hit")?.querySelector(".name"));
  const next = at + step;
  if (next < 0 && at >= 0) byId("query").focus();
  else names[Math.max(0, Math.min(next, names.length - 1))]?.focus();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  const inBox = event.target.matches("input, select, textarea");
  const inQuery = event.target.id === "query";
  if (event.key === "ArrowDown" && (inQuery || !inBox)) { event.preventDefault(); move(1); return; }
  if (event.key === "ArrowUp" && !inBox) { event.preventDefault(); move(-1); return; }
  if (inBox) return;
  const hit = document.activeElement?.closest(".hit");
  const keys = {
    "/": () => { go("search"); byId("query").focus(); byId("query").select(); },
    "?": () => byId("keys").showModal(),
    l: () => learn(),
    1: () => go("search"), 2: () => go("chat"), 3: () => go(byId("learning-view").offsetParent ? document.body.dataset.view : "learning"),
    p: () => hit?.querySelector(".play").click(),
    s: () => hit?.querySelector(".skipped").click(),
    w: () => hit?.querySelector("[aria-expanded]").click(),
  };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
}

startTheme();
for (const button of document.querySelectorAll("[data-go]")) button.addEventListener("click", () => go(button.dataset.go));
byId("help").addEventListener("click", () => byId("keys").showModal());
document.addEventListener("keydown", pressed);
if (VIEWS.includes(location.hash.slice(1))) go(location.hash.slice(1));
startMissing();
startChat();
try {
  const about = await aboutServer();
  await Promise.all([startSearching(about), startTeaching(about)]);
  document.body.dataset.ready = "yes";
} catch (problem) {
  toast(problem.message);
}
