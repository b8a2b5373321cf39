// Making elements, without markup in strings: whatever a document holds stays text.

/** An element: `el("p.soft", { title }, "text", child)`; `on…` are listeners, `null` and false are left out. */
export function el(what, ...rest) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  return filled(node, rest);
}

/** The same of SVG. */
export function svg(what, ...rest) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  return filled(node, rest);
}

function filled(node, rest) {
  for (const part of rest.flat(2)) {
    if (part === null || part === undefined || part === false) continue;
    if (typeof part === "object" && !(part instanceof Node)) attributes(node, part);
    else node.append(part instanceof Node ? part : String(part));
  }
  return node;
}

function attributes(node, given) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else node.setAttribute(name, value === true ? "" : value);
  }
}

export const byId = (id) => document.getElementById(id);
export const number = (value, digits = 0) =>
  Number(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
export const percent = (share) => `${number(100 * share)}%`;
export const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;

const COLOURED = ["bm25", "fuzzy", "dense", "memory", "personal", "discovery", "popular", "structured"];
/** The class that gives a generator its colour. */
export const hue = (generator) => `g-${COLOURED.includes(generator) ? generator : "other"}`;

/** What each generator goes by, for people who never heard of it. */
export const ABOUT = {
  bm25: "words", fuzzy: "spelling", dense: "meaning", structured: "fields meant", memory: "what was clicked before",
  personal: "what you have", discovery: "new to you", popular: "what many like",
};

let timer;
/** Say something at the foot of the page, and to screen readers. */
export function toast(text) {
  const node = byId("toast");
  node.textContent = text;
  node.classList.add("on");
  clearTimeout(timer);
  timer = setTimeout(() => node.classList.remove("on"), 2200);
}
