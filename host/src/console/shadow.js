// A shadow run: a version that waits, beside the one before it.

import { h, field, table, duration, part, action } from "./dom.js";

/** Most calls or records of one shadow run. */
const LAST_MAX = 1000;
const CAME = { denied: "denied", refused: "not in a shadow run", journal: "answered by the journal" };
const GIVEN = { calls: "the last calls that journals have kept", examples: "examples of its maker", records: "the last records of its topics, one at a time, with state that began empty" };

/** A form for it, where another version of the same component is there. */
export async function shadow(api, component) {
  const [name] = component.split("@");
  const all = await api.all("/v1/plugins");
  if (!all.some((p) => p.name === name && `${p.name}@${p.version}` !== component)) return false;
  const last = h("input", { type: "number", min: 1, max: LAST_MAX, value: 20, required: true });
  const about = h("p", { class: "about" }, "Gives it what the version before it got last. Nothing is sent, and nothing leaves the host.");
  return [h("h2", {}, "Beside the version before"), action("Shadow run", [about, field("Last calls or records", last)],
    async () => report(await api.post(`/v1/plugins/${part(component)}/shadow`, { last: Number(last.value) })))];
}

function report(shown) {
  const version = (component) => component.split("@")[1];
  const rows = shown.differences.flatMap((d) => [row(d.given, version(shown.current), d.current), row("", version(shown.component), d.candidate)]);
  return [
    h("p", { class: shown.different ? "bad" : "good" }, `The same ${shown.same} times, different ${shown.different} times.`),
    h("p", { class: "about" }, `${shown.component} beside ${shown.current}, given ${GIVEN[shown.given]}: ${duration(shown.micros.candidate)}, before ${duration(shown.micros.current)}.`),
    shown.cut && h("p", { class: "about" }, `Not all was given: ${shown.cut}.`),
    rows.length > 0 && table(["Given", "Version", "Came out", "Asked", ["number", "Took"]], rows, "", "What came out differently"),
  ];
}

function row(given, version, side) {
  const asked = side.asked.map((a) => `${a.what} (${CAME[a.came] ?? a.came})`).join("; ");
  return [["code", given], version, ["code", JSON.stringify(side.output)], ["code", asked], ["number", duration(side.micros)]];
}
