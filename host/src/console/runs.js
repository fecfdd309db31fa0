// Runs: what each has asked, its replay beside it, and files of runs without any host.

import { h, table, facts, problem, mark, when, link, part, action } from "./dom.js";
import { timeline, compared } from "./timeline.js";

/** What a run takes from an admin, by how it stands; of others the outcome is known. */
const ORDERS = { running: ["pause", "cancel", "restart"], paused: ["resume", "cancel", "restart"], diverged: ["pin", "restart", "cancel"] };
/** Largest file that is read, bytes. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** Most steps that are shown; a run has at most as many. */
const STEPS_MAX = 10_000;

export async function runs(api, id, signal, again) {
  if (id) return runOf(api, await api.get(`/v1/runs/${part(id)}`), again);
  const all = await api.get("/v1/runs");
  return [
    h("p", { class: "about" }, "A run that was saved as a file can be looked at too: ", link("trace", "", "open a trace file"), "."),
    table(["Run", "Agent", "State", "Record", "Started"],
      all.map((r) => [link("runs", r.id), r.agent, mark(r.status), `${r.topic}/${r.partition}@${r.offset}`, when(r.started_ms)]), "No run is under way, and none has finished lately."),
  ];
}

/** A link to the trace, where host.toml says where traces are. */
async function traceOf(api, run) {
  const id = run.traceparent?.split("-")[1];
  if (!/^[0-9a-f]{32}$/.test(id ?? "")) return null;
  const { trace_url } = await api.get("/v1/settings");
  return trace_url ? h("a", { href: trace_url.replaceAll("{trace}", id), rel: "noreferrer" }, id) : h("code", {}, id);
}

function about(run, trace) {
  return facts([["Agent", run.component ?? run.agent], ["State", run.status && mark(run.status)], ["Record", run.topic && `${run.topic}/${run.partition}@${run.offset}`], ["Key", run.key],
    ["Began", when(run.started_ms)], ["Finished", when(run.finished_ms)], ["Turns", run.turns], ["Failed attempts", run.attempts || null], ["Trace", trace],
    ["Outputs", run.outputs && h("code", {}, run.outputs)], ["Pinned to", run.pinned && h("code", {}, run.pinned)]]);
}

async function runOf(api, run, again) {
  const order = (name) => action(name, [], async () => { await api.post(`/v1/runs/${part(run.id)}/${name}`); api.say(`${name}: done.`); await again(); });
  const replay = action("Replay and compare", [], async () => compared(await api.post(`/v1/runs/${part(run.id)}/replay`)));
  const file = h("a", { href: URL.createObjectURL(new Blob([JSON.stringify(run, null, 2)], { type: "application/json" })), download: `run-${run.id.slice(0, 12)}.json` }, "Save as a trace file");
  return [about(run, await traceOf(api, run)), run.problem && problem(run.problem), run.problem?.stack && h("pre", { tabindex: "0" }, run.problem.stack),
    h("div", { class: "row" }, (ORDERS[run.status] ?? []).map(order)),
    h("h2", {}, "What it asked"), timeline(run), h("p", {}, file),
    h("h2", {}, "The same once more"), h("p", { class: "about" }, "Runs it from its journal; nothing is asked and nothing is sent."), replay];
}

/** What a file holds: a run with its journal, or a replay. Throws where it is neither. */
export function readTrace(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw Object.assign(new Error("this file is no JSON"), { next: "Make one with `wasmill run show RUN --output json`, or with `wasmill run replay`." });
  }
  const isStep = (s) => s && typeof s === "object" && Number.isFinite(s.seq) && typeof s.kind === "string" && Number.isFinite(s.asked_ms);
  if (!Array.isArray(value?.steps) || value.steps.length > STEPS_MAX || !value.steps.every(isStep)) {
    throw Object.assign(new Error("this file holds no run: it has no `steps` with `seq`, `kind` and `asked_ms`"), { next: "Make one with `wasmill run show RUN --output json`, or with `wasmill run replay`." });
  }
  return value;
}

/** A file of a run. It is read here and goes nowhere. */
export async function trace() {
  const shown = h("div", { "aria-live": "polite" });
  const look = async (file) => {
    if (!file) return;
    try {
      if (file.size > FILE_BYTES_MAX) throw new Error(`this file has more than ${FILE_BYTES_MAX} bytes`);
      const run = readTrace(await file.text());
      shown.replaceChildren(...[h("h2", {}, file.name), about(run, run.traceparent && h("code", {}, String(run.traceparent))), timeline(run), "is_same" in run && [h("h2", {}, "Its replay"), compared(run)]].flat(Infinity).filter(Boolean));
    } catch (error) {
      shown.replaceChildren(problem(error));
    }
  };
  const input = h("input", { type: "file", accept: ".json,application/json", change: () => look(input.files[0]) });
  const over = (event) => event.preventDefault();
  const place = h("label", { class: "drop", dragover: over, drop: (event) => { event.preventDefault(); look(event.dataTransfer.files[0]); } },
    "Drop a file here, or choose one", input);
  return [h("p", { class: "about" }, "From ", h("code", {}, "wasmill run show RUN --output json"), " or ", h("code", {}, "wasmill run replay RUN --output json"), ". It is read by this page only: no host is asked, nothing is sent."), place, shown];
}
