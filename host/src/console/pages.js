// The pages. Each draws itself from what the gateway says: `draw(api, what, signal, again)` gives elements.

import { h, table, facts, field, source, json, mark, when, link, digest, part, action } from "./dom.js";
import { cost } from "./cost.js";
import { approval } from "./sign.js";
import { now } from "./now.js";
import { forge, tried, versions } from "./forge.js";
import { shadow } from "./shadow.js";
import { runs, trace } from "./runs.js";
import { topics, letters } from "./topics.js";
import { conversations } from "./talk.js";
import { matrix } from "./matrix.js";
import { settings } from "./settings.js";

// Approvals.

async function approvals(api, name, signal, again) {
  if (name) return approvalOf(api, await api.get(`/v1/approvals/${part(name)}`), again);
  const cases = await api.get("/v1/approvals");
  return table(["Component", "State", "Risk", "Wants", "Made for", "Signed by"],
    cases.map((c) => [link("approvals", c.component), mark(c.state), c.risk, c.privileged.join(", "), c.maker ?? "published", `${c.signer.name} (${c.signer.role})`]),
    "Nothing that is installed asks for a privileged permission.");
}

async function approvalOf(api, shown, again) {
  const key = h("input", { type: "file", required: true });
  const expires = h("input", { type: "datetime-local" });
  const reason = h("input", { required: true, maxlength: 500 });
  const grant = action("Approve exactly this", [
    h("p", { class: "about" }, "The key is read here, signs what this page shows, and is not sent anywhere. On a machine that you trust more than this host: ", h("code", {}, `wasmill approval grant ${shown.component}`)),
    field("Admin's key file", key), field("Expires (optional)", expires)], async () => {
    const until = expires.value ? new Date(expires.value).toISOString().replace(/\.\d+/, "") : undefined;
    const envelope = await approval(await key.files[0].text(), shown, until);
    await api.post("/v1/approvals", { envelope });
    const { state, signers, needed } = await api.get(`/v1/approvals/${part(shown.component)}`);
    api.say(state === "granted" ? `${shown.component} is approved.` : `${shown.component}: ${signers.length} of ${needed} admins have signed.`);
    await again();
  });
  const deny = action("Deny", [field("Reason", reason)], async () => {
    await api.post(`/v1/approvals/${part(shown.component)}/deny`, { reason: reason.value });
    api.say(`${shown.component} is denied.`);
    await again();
  });
  return [
    facts([["State", mark(shown.state)], ["About", shown.description], ["Made for", shown.maker ?? "published"], ["Signed by", `${shown.signer.name} (${shown.signer.role})`],
      ["Component", h("code", {}, shown.digest)], ["Manifest", h("code", {}, shown.manifest_digest)], ["Risk class", shown.risk], ["Matrix", h("code", {}, shown.revision)],
      ["Signed by admins", shown.signers?.map((s) => s.name).join(", ")], ["Admins needed", shown.needed], ["Until", shown.expires], ["Denied", shown.reason]]),
    h("h2", {}, "It would have"), h("p", { class: "about" }, `Needs the approval: ${shown.privileged.join(", ")}`), json(shown.permissions),
    shown.imports.length > 0 && [h("h2", {}, "It imports"), h("ul", {}, shown.imports.map((name) => h("li", {}, h("code", {}, name))))],
    shown.source && [h("h2", {}, "Its source"), source(shown.source)],
    tried(shown.provenance?.runDetails.metadata?.examined),
    shown.provenance && [h("h2", {}, "How it was made"), json(shown.provenance)],
    shown.state !== "granted" && await shadow(api, shown.component),
    h("h2", {}, "Decide"), grant, deny,
  ];
}

// Tools.

async function tools(api, name, signal, again) {
  if (name) return toolOf(api, await api.get(`/v1/tools/${part(name)}`), again);
  const all = await api.get("/v1/tools");
  const rows = h("div");
  const search = h("input", { type: "search", input: () => draw() });
  const draw = () => {
    const wanted = search.value.toLowerCase();
    const found = all.filter((t) => JSON.stringify([t.name, t.description, t.functions.map((f) => [f.name, f.description])]).toLowerCase().includes(wanted));
    rows.replaceChildren(table(["Tool", "Version", "Functions", "Made for", "About"],
      found.map((t) => [link("tools", t.name), reached(t), t.functions.map((f) => f.name).join(", "), t.maker ?? "published", t.description]), "No tool is there."));
  };
  draw();
  return [field("Search", search), rows];
}

/** The version that the plain name reaches, and those that it doesn't because they fail. */
function reached(tool) {
  const failing = (tool.rolled_back ?? []).map((r) => r.version);
  return failing.length ? `${tool.version} (${failing.join(", ")} fails)` : tool.version;
}

/** What was taken back, and a way to have it again. */
function failing(api, tool, again) {
  return (tool.rolled_back ?? []).map((r) => [
    h("p", { class: "bad" }, `${r.version} was rolled back on ${when(r.decided_ms)} by ${r.host}: ${r.reason}`),
    action(`Restore ${r.version}`, [], async () => {
      await api.delete(`/v1/rollbacks/${part(`${r.tool}@${r.version}`)}`);
      api.say(`${r.tool}@${r.version} is restored.`);
      await again();
    }),
  ]);
}

async function toolOf(api, tool, again) {
  return [
    failing(api, tool, again),
    facts([["Version", tool.version], ["About", tool.description], ["Made for", tool.maker ?? "published"], ["Component", h("code", {}, tool.digest)]]),
    await versions(api, tool.name),
    tool.functions.map((f) => {
      const given = h("textarea", {}, "");
      given.value = JSON.stringify(Object.fromEntries(Object.keys(f.input_schema.properties ?? {}).map((k) => [k, ""])), null, 2);
      return [h("h2", {}, f.name), h("p", {}, f.description), h("details", {}, h("summary", {}, "Schemas"), json(f.input_schema), json(f.output_schema)),
        action(`Call ${f.name}`, [field("Arguments (JSON)", given)], async () => {
          const { result } = await api.post(`/v1/tools/${part(tool.name)}/calls`, { function: f.name, arguments: JSON.parse(given.value) });
          return json(result);
        })];
    }),
  ];
}

// Components and hosts.

async function components(api) {
  const all = await api.all("/v1/plugins");
  return table(["Component", "Kind", "Signed by", "Digest", "About"], all.map((p) => [`${p.name}@${p.version}`, p.problem ? mark("refused") : p.kind,
    p.signer ? `${p.signer.name} (${p.signer.role})` : "", p.digest ? digest(p.digest) : "", p.problem?.message ?? p.description]), "Nothing is installed.");
}

async function hosts(api) {
  const all = await api.get("/v1/hosts");
  return table(["Host", "Instance", "State", "Version", "Agents", "Started"],
    all.map((host) => [host.name, h("code", {}, host.instance), mark(host.state), host.version, host.agents.map((a) => a.agent).join(", "), when(host.started_ms)]), "No host has spoken.");
}

// The audit trail.

async function audit(api) {
  const rows = h("div");
  const who = h("input", { type: "search", change: () => draw() });
  const draw = async () => {
    const filter = who.value ? `&principal=${part(who.value)}` : "";
    const found = await api.get(`/v1/audit?limit=200${filter}`);
    rows.replaceChildren(table(["When", "Who", "What", "Came of it", "Detail", "Row"],
      found.map((r) => [when(r.at_ms), r.principal, r.action, mark(r.decision), ["code", r.detail], `${r.chain} ${r.seq}`]), "No row."));
  };
  await draw();
  const verify = action("Verify", [h("p", { class: "about" }, "Reads every row, and compares hashes, numbers and signed checkpoints.")], async () => {
    const report = await api.get("/v1/audit/verify");
    const faults = report.chains.flatMap((c) => c.faults.map((f) => [c.chain, ["number", f.seq], f.kind, f.says]));
    return [h("p", { class: faults.length ? "bad" : "good" }, faults.length ? `${faults.length} faults` : `Nothing is wrong in ${report.chains.length} chains.`),
      faults.length > 0 && table(["Chain", ["number", "Row"], "Fault", "What it says"], faults, ""),
      h("details", {}, h("summary", {}, "Report"), json(report))];
  });
  return [verify, h("h2", {}, "Rows, newest first"), field("Only of", who), rows];
}

export const PAGES = [
  { name: "now", title: "Now", draw: now },
  { name: "approvals", title: "Approvals", draw: approvals },
  { name: "tools", title: "Tools", draw: tools },
  { name: "forge", title: "Forge", draw: forge },
  { name: "runs", title: "Runs", draw: runs },
  { name: "conversations", title: "Conversations", draw: conversations },
  { name: "topics", title: "Topics", draw: topics },
  { name: "letters", title: "Dead letters", draw: letters },
  { name: "matrix", title: "Matrix", draw: matrix },
  { name: "cost", title: "Cost", draw: cost },
  { name: "audit", title: "Audit", draw: audit },
  { name: "components", title: "Components", draw: components },
  { name: "hosts", title: "Hosts", draw: hosts },
  { name: "settings", title: "Settings", draw: settings },
  // Needs no host, so no token; found from the runs and from the first page.
  { name: "trace", title: "Trace file", draw: trace, isOpen: true },
];
