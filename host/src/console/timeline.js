// The timeline of a run: every host call on one axis, with what it asked, what it was answered, and what that cost.

import { h, svg, table, json, duration, mark } from "./dom.js";

/** Widest number of units that the axis has; a picture is as wide as its cell. */
const AXIS = 1000;

/** JSON where it is some, else the text. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Tokens that an answer of a model says it has cost; none where it is no such answer. */
export function tokens(answer) {
  const value = typeof answer === "string" ? parsed(answer) : answer;
  const said = value?.Ok ?? value;
  if (said == null || typeof said !== "object") return null;
  const read = (name) => said[name] ?? said[name.replace("_", "-")];
  const [asked, given] = [read("prompt_tokens"), read("completion_tokens")];
  return Number.isFinite(asked) && Number.isFinite(given) ? { asked, given } : null;
}

/** Beginning and end of everything, milliseconds; the end of what is under way is the last moment that is known. */
export function span(run) {
  const times = run.steps.flatMap((s) => [s.asked_ms, s.answered_ms]).filter(Number.isFinite);
  const begin = Math.min(run.started_ms ?? Infinity, ...times);
  const end = Math.max(run.finished_ms ?? -Infinity, ...times, begin + 1);
  return Number.isFinite(begin) ? { begin, end } : { begin: 0, end: 1 };
}

const took = (step) => step.answered_ms == null ? "under way" : duration((step.answered_ms - step.asked_ms) * 1e3);

function bar(step, { begin, end }) {
  const scale = AXIS / (end - begin);
  const x = (step.asked_ms - begin) * scale;
  const width = Math.max(4, ((step.answered_ms ?? end) - step.asked_ms) * scale);
  return svg("svg", { viewBox: `0 0 ${AXIS} 20`, preserveAspectRatio: "none", class: "bar", role: "img", "aria-label": `after ${duration((step.asked_ms - begin) * 1e3)}, ${took(step)}` },
    [0, 250, 500, 750, 1000].map((at) => svg("path", { d: `M${at},0 V20`, class: "grid" })),
    svg("rect", { x: Math.min(x, AXIS - width), y: 3, width, height: 14, class: step.answered_ms == null ? "open" : step.kind }));
}

function axis({ begin, end }) {
  const at = (part) => duration((end - begin) * part * 1e3);
  return h("span", { class: "axis" }, h("span", {}, "0"), h("span", {}, at(0.5)), h("span", {}, at(1)));
}

function call(step) {
  return h("details", {}, h("summary", {}, step.kind),
    h("p", { class: "about" }, `Asked ${step.asks === 1 ? "once" : `${step.asks} times`}${step.passing ? "; may be answered otherwise later" : ""}. Key `, h("code", {}, step.idempotency_key ?? "")),
    h("h3", {}, "Arguments"), h("pre", { tabindex: "0" }, step.request ?? ""),
    h("h3", {}, "Answer"), step.answer == null ? h("p", { class: "about" }, "None yet.") : json(parsed(step.answer)));
}

/** All calls as bars. */
export function timeline(run) {
  const whole = span(run);
  const cost = (step) => { const t = tokens(step.answer); return t ? `${t.asked} + ${t.given}` : ""; };
  const all = run.steps.map((s) => tokens(s.answer)).filter(Boolean);
  const sum = all.reduce((sum, t) => ({ asked: sum.asked + t.asked, given: sum.given + t.given }), { asked: 0, given: 0 });
  return [
    h("p", { class: "about" }, `${run.steps.length} calls in ${duration((whole.end - whole.begin) * 1e3)}`, all.length > 0 && `; ${sum.asked} tokens asked, ${sum.given} answered`),
    h("div", { class: "timeline" }, table([["number", "Step"], "Call", ["when", axis(whole)], ["number", "Took"], ["number", "Tokens"]],
      run.steps.map((step) => [["number", step.seq], call(step), ["when", bar(step, whole)], ["number", took(step)], ["number", cost(step)]]), "It has asked nothing.")),
  ];
}

/** The journal beside its replay, step by step. */
export function compared(replayed) {
  const short = (text) => text ? h("code", { title: text }, text.slice(0, 16)) : "none";
  const rows = replayed.steps.map((step) => [["number", step.seq], h("div", {}, h("b", {}, step.kind), " ", h("code", {}, step.request)),
    step.is_repeated ? mark("same") : mark("not asked")]);
  const isSame = replayed.outputs_then === replayed.outputs_now;
  rows.push(["", h("div", {}, h("b", {}, "outputs"), " ", short(replayed.outputs_then)), h("div", {}, mark(isSame ? "same" : "different"), " ", !isSame && short(replayed.outputs_now))]);
  return [
    h("p", { class: replayed.is_same ? "good" : "bad" }, replayed.is_same ? "The replay has come to the same." : "The replay has NOT come to the same."),
    h("p", { class: "about" }, `${replayed.component}: ${replayed.end}`),
    replayed.problem && h("div", { class: "problem" }, h("p", {}, replayed.problem.message), h("p", { class: "quiet" }, h("code", {}, replayed.problem.code)), replayed.problem.next && h("p", {}, replayed.problem.next)),
    table([["number", "Step"], "Journal", "Replay"], rows, ""),
  ];
}
