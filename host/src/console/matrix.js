// The matrix: who may do what, why, and what another one would change before it is in force.

import { h, table, facts, field, mark, action } from "./dom.js";
import { policy } from "./sign.js";

export async function matrix(api, _, signal, again) {
  const grid = await api.get("/v1/permissions");
  const who = h("input", { required: true, placeholder: "agent:logsmith" });
  const column = h("select", {}, h("option", { value: "" }, "everything"), grid.columns.map((c) => h("option", {}, c)));
  const name = h("input", {});
  const used = grid.columns.filter((_, i) => grid.rows.some((row) => row.cells[i].length));
  return [
    facts([["Revision", h("code", {}, grid.revision)], ["Needs an approval", grid.privileged.join(", ")], ["Not in force", grid.rejected && JSON.stringify(grid.rejected)]]),
    table(["Who", ...used], grid.rows.map((row) => [h("code", { title: `line ${row.line}` }, row.principal), ...used.map((c) => row.cells[grid.columns.indexOf(c)].join(", "))]), "No row allows anything."),
    h("h2", {}, "Who may do what, and why"),
    action("Explain", [field("Who", who), field("Column", column), field("Name (a topic, a tool, METHOD host …)", name)], async () =>
      explained(await api.post("/v1/permissions/explain", { principal: who.value, ...(column.value && { column: column.value, name: name.value || null }) }))),
    await another(api, again),
  ];
}

function explained({ component, answer, columns, limits, rows, risk, awaits_approval: waits }) {
  return [
    answer && h("p", { class: answer.allowed ? "good" : "bad" }, answer.text),
    facts([["Component", component], ["Rows for it", rows.map((row) => `${row.principal} (line ${row.line})`).join(", ") || "none"], ["Risk class", risk], ["Approval", waits && "waits for an admin"]]),
    table(["Column", "May", "By rows", "It asked for", "Risk"], columns.map((c) => [[c.privileged ? "wait" : "", c.column], c.allowed.join(", ") || "nothing", c.rows.join(", "), c.wanted ? c.wanted.join(", ") || "nothing" : "–", c.risk]), "No row allows it anything, and it asked for nothing."),
    h("details", {}, h("summary", {}, "Limits"), h("ul", {}, limits.map((limit) => h("li", {}, limit.text)))),
  ];
}

/** The file in a box: what a change would mean, and saving it with an admin's key. */
async function another(api, again) {
  const answer = await api.ask("/v1/permissions/policy");
  const seen = answer.headers.get("ETag");
  const { serial, permissions, trust } = await answer.json();
  const text = h("textarea", { class: "tall", spellcheck: "false" });
  text.value = permissions;
  const key = h("input", { type: "file", required: true });
  return [
    h("h2", {}, "What if"),
    h("p", { class: "about" }, "Change a row and see which decisions of the last day would have been others. Nothing is saved by that."),
    action("What would change", [field("permissions.toml", text)], async () => difference(await api.post("/v1/permissions/what-if", { permissions: text.value }))),
    h("h2", {}, "Save"),
    h("p", { class: "about" }, "What the box says is signed here with an admin's key, which is not sent anywhere, and the token needs ", h("code", {}, 'host = ["approve"]'),
      ". Without either: change the file on the host, which follows it, or ", h("code", {}, "wasmill permission share"), " for all hosts of the database."),
    action("Sign and save", [field("Admin's key file", key)], async () => {
      const envelope = await policy(await key.files[0].text(), { serial: Math.max(Date.now(), serial + 1), permissions: text.value, trust });
      const saved = await api.put("/v1/permissions/policy", { envelope }, { "If-Match": seen });
      await again();
      api.say(`Matrix ${saved.policy} is saved, signed by ${saved.signers.join(", ")}.`);
    }),
  ];
}

function difference(reply) {
  const { changes } = reply;
  return [
    h("p", {}, `${changes.length} of ${reply.judged} would be decided otherwise by ${reply.other_revision} than by ${reply.revision}.`),
    table(["Who", "What", "Would be", ["number", "Tried"], "Why"], changes.map((c) => [h("code", {}, c.principal), c.action, mark(c.would_be_allowed ? "allowed" : "denied"), ["number", c.count], c.reason]), "Nothing that was tried would be decided otherwise."),
    h("p", { class: "about" }, `Looked at: the audit trail of the last 24 hours${reply.is_cut ? ", its newest rows only" : ""}, and what components have read, sent and called since the host started. ${reply.others} rows of the trail are not decided by a column.`),
  ];
}
