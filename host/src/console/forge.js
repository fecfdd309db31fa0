// The forge: what is being made, the tools that agents made, and what became of each.

import { h, table, facts, source, mark, when, duration, bytes, link, part, total } from "./dom.js";

/** Lines of the live log. */
const LINES_MAX = 50;
/** Most builds that tools are put together from. */
const BUILDS_MAX = 1000;

const took = (build) => duration(build.timings.reduce((sum, t) => sum + t.micros, 0));

export async function forge(api, id, signal) {
  if (id) return buildOf(await api.get(`/v1/builds/${part(id)}`));
  const log = h("div", { role: "log", "aria-label": "Build log", class: "log", tabindex: "0" }, h("p", { class: "about" }, "Stages appear here while something is made."));
  const [made, list] = [h("div"), h("div")];
  let builds = [];
  let figures = await api.get("/v1/figures");
  let failing = [];
  const read = async () => {
    [builds, failing] = await Promise.all([api.get(`/v1/builds?limit=${BUILDS_MAX}`), api.get("/v1/rollbacks")]);
    made.replaceChildren(tools(builds, figures, failing));
    list.replaceChildren(table(["Build", "Tool", "Version", "Outcome", "For", "Took", "When"],
      builds.slice(0, 100).map((b) => [link("forge", b.id), b.name, b.version ?? "", mark(b.outcome), b.maker, took(b), when(b.started_ms)]), "Nothing was asked of the forge."));
  };
  const say = (...words) => {
    log.querySelector(".about")?.remove();
    log.append(h("p", {}, h("span", { class: "quiet" }, new Date().toLocaleTimeString()), words));
    while (log.children.length > LINES_MAX) log.firstChild.remove();
    log.scrollTop = log.scrollHeight;
  };
  await read();
  api.listen(signal, (name, value) => {
    if (name === "figures") {
      figures = value;
      made.replaceChildren(tools(builds, figures, failing));
    } else if (name === "changed") {
      read().catch((error) => api.say(error.message));
    } else if (name === "forge") {
      say(` ${value.tool} for ${value.maker}: ${value.stage}, ${duration(value.micros)} `, value.refused && h("span", { class: "bad" }, `refused: ${value.refused}`));
      // The row is written once the request is over.
      if (value.refused) setTimeout(() => read().catch((error) => api.say(error.message)), 500);
    } else if (name === "rollback") {
      say(h("span", { class: "bad" }, ` ${value.tool}@${value.version} fails: ${value.reason}; its name reaches ${value.instead ?? value.version} now`));
    }
  });
  return [h("h2", {}, "As it happens"), log, h("h2", {}, "Tools that were made"), made, h("h2", {}, "Builds"), list];
}

/** One row a tool: whose it is, its versions, and how it does. */
function tools(builds, figures, failing) {
  const byName = new Map();
  for (const build of builds) byName.set(build.name, [...(byName.get(build.name) ?? []), build]);
  const use = (name) => figures.tools.find((t) => t.tool === name);
  return table(["Tool", "Made for", "Versions, newest first", ["number", "Refused"], ["number", "Calls"], ["number", "Failed"], "Last asked for"],
    [...byName].map(([name, all]) => {
      const made = all.filter((b) => b.version);
      const called = use(name);
      return [made.length ? link("tools", name) : name, all[0].maker, h("span", {}, made.length ? made.map((b, i) => [i > 0 && ", ", link("forge", b.id, b.version), failing.some((r) => r.tool === name && r.version === b.version) && h("span", { class: "bad" }, " fails")]) : "none"),
        ["number", all.length - made.length], ["number", called ? total(called.duration.counts) : 0], ["number", called ? total(called.errors) : 0], when(all[0].started_ms)];
    }), "Nobody has had a tool made.");
}

/** The versions of a tool that the forge made, and what was refused between them. */
export async function versions(api, name) {
  const builds = await api.get(`/v1/builds?name=${part(name)}&limit=100`);
  return builds.length > 0 && [h("h2", {}, "How it came to be"), table(["Build", "Version", "Outcome", "For", "Source", "When"],
    builds.map((b) => [link("forge", b.id), b.version ?? "", mark(b.outcome), b.maker, h("code", { title: b.source_digest }, b.source_digest.slice(0, 12)), when(b.started_ms)]), "")];
}

/** How a tool was tried, what its calls took, and limits that would do. */
export function tried(examined) {
  if (!examined) return null;
  const { random, measured, proposed } = examined;
  return [h("h2", {}, "How it was tried"), facts([
    ["Examples", `${examined.examples} answered as expected, ${examined.compared} of them with a named answer`],
    ["Random inputs", random && `${random.calls} borne, ${random.errors} of them with an error of its own; seed ${random.seed}`],
    ["Without a random input", random?.untried?.join(", ")],
    ["Most of a call", measured && `${duration(measured.cpu_micros)} of CPU time, ${duration(measured.micros)} in all, ${bytes(measured.memory_bytes)} of memory`],
    ["Limits that would do", proposed && h("code", {}, `compute_ms = ${proposed.compute_ms}, memory_mib = ${proposed.memory_mib}`)],
  ])];
}

function buildOf(build) {
  return [
    facts([["Tool", build.version ? link("tools", build.name) : build.name], ["Version", build.version], ["Outcome", mark(build.outcome)], ["For", build.maker], ["When", when(build.started_ms)], ["Reason", build.reason],
      ["Source", h("code", {}, build.source_digest)], ["Component", build.component && h("code", {}, build.component)]]),
    h("h2", {}, "Stages"), table(["Stage", ["number", "Took"]], build.timings.map((t) => [t.stage, ["number", duration(t.micros)]]), "It was there already."),
    tried(build.examined),
    build.diagnostics.length > 0 && [h("h2", {}, "What was said"), build.diagnostics.map((d) => h("pre", { tabindex: "0" }, d.rendered))],
    h("h2", {}, "Source"), source(build.source),
  ];
}
