// Making elements. Text is always text: nothing that a guest wrote is ever read as HTML.

/** An element with attributes (functions are listeners, `true` is a bare attribute) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** The same for a picture. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) element.setAttribute(name, value);
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** A table. A cell is text, an element, or [class, text]. Two on one page with the same heads need labels of their own. */
export function table(heads, rows, empty, label) {
  if (rows.length === 0) return h("p", { class: "about" }, empty);
  const cell = (value) => Array.isArray(value) ? h("td", { class: value[0] }, value[1]) : h("td", {}, value ?? "");
  const head = (value) => Array.isArray(value) ? h("th", { class: value[0], scope: "col" }, value[1]) : h("th", { scope: "col" }, value);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label ?? heads.map((head) => Array.isArray(head) ? head[1] : head).filter((head) => typeof head === "string").join(", ") },
    h("table", {}, h("thead", {}, h("tr", {}, heads.map(head))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell))))));
}

/** Names with values. */
export function facts(pairs) {
  return h("dl", {}, pairs.filter(([, value]) => value != null && value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** A labelled control. */
export function field(label, control) {
  return h("label", {}, label, control);
}

/** What a host says no with. */
export function problem(error) {
  return h("div", { class: "problem", role: "alert" },
    h("p", {}, error.message), error.code && h("p", { class: "quiet" }, h("code", {}, error.code)), error.next && h("p", {}, error.next));
}

/** A source with numbered lines. */
export function source(text) {
  return h("ol", { class: "source", tabindex: "0", "aria-label": "Source" }, text.trimEnd().split("\n").map((line) => h("li", {}, line)));
}

/** JSON for people. */
export function json(value) {
  return h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
}

const MARKS = { up: "good", callable: "good", granted: "good", allowed: "good", done: "good", running: "good", same: "good", usable: "good", waiting: "wait", paused: "wait", refused: "bad", denied: "bad", failed: "bad", silent: "bad", diverged: "bad", dead: "bad", "not asked": "bad", different: "bad", "another key": "bad", missing: "bad" };

/** A state in its colour; the word says it too. */
export function mark(word) {
  return h("span", { class: `mark ${MARKS[word] ?? ""}` }, word);
}

export const part = encodeURIComponent;
export const link = (page, name, text = name) => h("a", { href: `#/${page}/${encodeURI(name)}` }, text);
export const digest = (text) => h("code", { title: text }, text.slice(0, 12));
export const total = (counts) => Object.values(counts).reduce((sum, n) => sum + n, 0);

/** A form whose answer or problem appears below it. */
export function action(label, controls, work) {
  const below = h("div");
  const form = h("form", {
    submit: async (event) => {
      event.preventDefault();
      // A button that is disabled would lose the focus of whoever has pressed it.
      if (form.ariaBusy === "true") return;
      form.ariaBusy = "true";
      try {
        below.replaceChildren(...[await work()].flat(Infinity).filter(Boolean));
      } catch (error) {
        below.replaceChildren(problem(error));
      }
      form.ariaBusy = "false";
    },
  }, controls, h("button", { class: "main" }, label));
  return [form, below];
}

export const when = (ms) => ms ? new Date(ms).toLocaleString() : "";

export function duration(micros) {
  if (micros < 1e3) return `${micros} µs`;
  if (micros < 1e6) return `${(micros / 1e3).toFixed(1)} ms`;
  return `${(micros / 1e6).toFixed(2)} s`;
}

export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; count >= 1024 && unit < 3; unit++) count /= 1024;
  return `${unit ? count.toFixed(1) : count} ${units[unit]}`;
}
