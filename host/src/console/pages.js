// The pages. Each draws itself from what the gateway says: `draw(api, what, signal, again)` gives elements.

import { h, table, facts, field, problem, source, json, mark, when, duration, bytes } from "./dom.js";
import { approval } from "./sign.js";

const link = (page, name) => h("a", { href: `#/${page}/${encodeURI(name)}` }, name);
const digest = (text) => h("code", { title: text }, text.slice(0, 12));
const part = encodeURIComponent;
const total = (counts) => Object.values(counts).reduce((sum, n) => sum + n, 0);

/** A form whose answer or problem appears below it. */
function action(label, controls, work) {
  const below = h("div");
  const form = h("form", {
    submit: async (event) => {
      event.preventDefault();
      const button = event.submitter;
      button.disabled = true;
      try {
        below.replaceChildren(...[await work()].flat().filter(Boolean));
      } catch (error) {
        below.replaceChildren(problem(error));
      }
      button.disabled = false;
    },
  }, controls, h("button", { class: "main" }, label));
  return [form, below];
}

// What is now.

async function now(api, _, signal) {
  const cards = h("ul", { class: "cards" });
  const agents = h("div");
  const tools = h("div");
  const waiting = h("div");
  const decide = async () => {
    const cases = (await api.get("/v1/approvals")).filter((c) => c.state === "waiting");
    waiting.replaceChildren(table(["Component", "Wants", "Made for"],
      cases.map((c) => [link("approvals", c.component), c.privileged.join(", "), c.maker ?? "published"]), "Nothing waits."));
  };
  let before;
  const figures = (now) => {
    const card = (name, value) => h("li", {}, h("b", {}, String(value)), name);
    const { host, forge } = now;
    const seconds = before && (now.at_ms - before.at_ms) / 1e3;
    const cpu = before ? `${((host.cpu_micros - before.host.cpu_micros) / seconds / 1e4).toFixed(1)} %` : "…";
    cards.replaceChildren(card("agents", host.components.agents), card("tools", host.components.tools), card("wait for an admin", host.components.waiting),
      card("refused", host.components.refused), card("of a processor", cpu), card("resident", bytes(host.resident_bytes ?? 0)),
      card("tools made", forge.callable + forge.waiting), card("up since", new Date(host.started_ms).toLocaleTimeString()));
    const rate = (agent) => {
      const old = before?.agents.find((a) => a.agent === agent.agent);
      return old ? ((agent.records - old.records) / seconds).toFixed(0) : "…";
    };
    agents.replaceChildren(table(["Agent", "Version", "State", ["number", "Records"], ["number", "Records/s"], ["number", "Errors"], ["number", "Lag"]],
      now.agents.map((a) => [a.agent, a.version, mark(a.state), ["number", a.records], ["number", rate(a)], ["number", total(a.errors)],
        ["number", a.lag.length ? a.lag.reduce((sum, l) => sum + l.records, 0) : ""]]), "No agent works on this host."));
    tools.replaceChildren(table(["Tool", ["number", "Calls"], ["number", "Failed"]],
      now.tools.map((t) => [link("tools", t.tool), ["number", total(t.duration.counts)], ["number", total(t.errors)]]), "No tool was called since this host started."));
    before = now;
  };
  figures(await api.get("/v1/figures"));
  await decide();
  api.listen(signal, (name, value) => name === "figures" ? figures(value) : name === "changed" && decide());
  return [cards, h("h2", {}, "Waits for a decision"), waiting, h("h2", {}, "Agents"), agents, h("h2", {}, "Tools that were called"), tools];
}

// Approvals.

async function approvals(api, name, signal, again) {
  if (name) return approvalOf(api, await api.get(`/v1/approvals/${part(name)}`), again);
  const cases = await api.get("/v1/approvals");
  return table(["Component", "State", "Wants", "Made for", "Signed by"],
    cases.map((c) => [link("approvals", c.component), mark(c.state), c.privileged.join(", "), c.maker ?? "published", `${c.signer.name} (${c.signer.role})`]),
    "Nothing that is installed asks for a privileged permission.");
}

function approvalOf(api, shown, again) {
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
      ["Component", h("code", {}, shown.digest)], ["Manifest", h("code", {}, shown.manifest_digest)], ["Matrix", h("code", {}, shown.revision)],
      ["Signed by admins", shown.signers?.map((s) => s.name).join(", ")], ["Admins needed", shown.needed], ["Until", shown.expires], ["Denied", shown.reason]]),
    h("h2", {}, "It would have"), h("p", { class: "about" }, `Needs the approval: ${shown.privileged.join(", ")}`), json(shown.permissions),
    shown.imports.length > 0 && [h("h2", {}, "It imports"), h("ul", {}, shown.imports.map((name) => h("li", {}, h("code", {}, name))))],
    shown.source && [h("h2", {}, "Its source"), source(shown.source)],
    shown.provenance && [h("h2", {}, "How it was made"), json(shown.provenance)],
    h("h2", {}, "Decide"), grant, deny,
  ];
}

// Tools.

async function tools(api, name) {
  if (name) return toolOf(api, await api.get(`/v1/tools/${part(name)}`));
  const all = await api.get("/v1/tools");
  const rows = h("div");
  const search = h("input", { type: "search", input: () => draw() });
  const draw = () => {
    const wanted = search.value.toLowerCase();
    const found = all.filter((t) => JSON.stringify([t.name, t.description, t.functions.map((f) => [f.name, f.description])]).toLowerCase().includes(wanted));
    rows.replaceChildren(table(["Tool", "Version", "Functions", "Made for", "About"],
      found.map((t) => [link("tools", t.name), t.version, t.functions.map((f) => f.name).join(", "), t.maker ?? "published", t.description]), "No tool is there."));
  };
  draw();
  return [field("Search", search), rows];
}

function toolOf(api, tool) {
  return [
    facts([["Version", tool.version], ["About", tool.description], ["Made for", tool.maker ?? "published"], ["Component", h("code", {}, tool.digest)]]),
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

// The forge.

async function forge(api, id, signal, again) {
  if (id) return buildOf(await api.get(`/v1/builds/${part(id)}`));
  const builds = await api.get("/v1/builds");
  const stages = h("ul", {});
  const about = h("p", { class: "about" }, "Stages appear here while something is made.");
  const took = (b) => duration(b.timings.reduce((sum, t) => sum + t.micros, 0));
  api.listen(signal, (name, stage) => {
    if (name !== "forge") return;
    about.remove();
    stages.append(h("li", {}, `${stage.tool}: ${stage.stage} ${duration(stage.micros)}${stage.refused ? ` – ${stage.refused}` : ""}`));
    if (stages.children.length > 20) stages.firstChild.remove();
    if (stage.refused || stage.stage === "register") setTimeout(again, 500);
  });
  return [about, stages, table(["Build", "Tool", "Version", "Outcome", "For", "Took", "When"],
    builds.map((b) => [link("forge", b.id), b.name, b.version ?? "", mark(b.outcome), b.maker, took(b), when(b.started_ms)]), "Nothing was asked of the forge.")];
}

function buildOf(build) {
  return [
    facts([["Tool", build.name], ["Version", build.version], ["Outcome", mark(build.outcome)], ["For", build.maker], ["When", when(build.started_ms)], ["Reason", build.reason],
      ["Source", h("code", {}, build.source_digest)], ["Component", build.component && h("code", {}, build.component)]]),
    h("h2", {}, "Stages"), table(["Stage", ["number", "Took"]], build.timings.map((t) => [t.stage, ["number", duration(t.micros)]]), "It was there already."),
    build.diagnostics.length > 0 && [h("h2", {}, "What was said"), build.diagnostics.map((d) => h("pre", { tabindex: "0" }, d.rendered))],
    h("h2", {}, "Source"), source(build.source),
  ];
}

// Runs.

async function runs(api, id, signal, again) {
  if (id) return runOf(api, await api.get(`/v1/runs/${part(id)}`), again);
  const all = await api.get("/v1/runs");
  return table(["Run", "Agent", "State", "Record", "Started"],
    all.map((r) => [link("runs", r.id), r.agent, mark(r.status), `${r.topic}/${r.partition}@${r.offset}`, when(r.started_ms)]), "No run is under way, and none has finished lately.");
}

function runOf(api, run, again) {
  const { steps, ...rest } = run;
  const order = (name) => action(name, [], async () => { await api.post(`/v1/runs/${part(run.id)}/${name}`); api.say(`${name}: done.`); await again(); });
  const replay = action("replay", [], async () => json(await api.post(`/v1/runs/${part(run.id)}/replay`)));
  return [facts(Object.entries(rest).map(([name, value]) => [name, name.endsWith("_ms") ? when(value) : name === "status" ? mark(value) : typeof value === "object" && value ? json(value) : String(value ?? "")])),
    h("div", { class: "row" }, ["pause", "resume", "cancel", "restart", "pin"].map(order), replay),
    h("h2", {}, "What it asked"), steps.length ? steps.map((step) => json(step)) : h("p", { class: "about" }, "Nothing yet.")];
}

// Topics and dead letters.

async function topics(api, name) {
  if (!name) {
    const all = await api.get("/v1/topics");
    return table(["Topic", ["number", "Partitions"], "Kept"], all.map((t) => [link("topics", t.name), ["number", t.partitions], t.compacted ? "newest of each key" : "by age"]), "There is no topic.");
  }
  const topic = await api.get(`/v1/topics/${part(name)}`);
  const partition = h("input", { type: "number", min: 0, max: topic.partitions - 1, value: 0 });
  const offset = h("input", { type: "number", min: 0, value: Math.max(0, topic.watermarks[0].next - 20) });
  const key = h("input");
  const value = h("textarea");
  const shown = (text) => text == null ? "–" : typeof text === "string" ? text : JSON.stringify(text);
  return [
    table(["Partition", ["number", "First"], ["number", "Next"]], topic.watermarks.map((w, i) => [String(i), ["number", w.first], ["number", w.next]]), ""),
    h("h2", {}, "Records"), action("Read", [field("Partition", partition), field("From offset", offset)], async () => {
      const { records } = await api.get(`/v1/topics/${part(name)}/records?partition=${partition.value}&offset=${offset.value}&max=50&wait_ms=0`);
      return table([["number", "Offset"], "When", "Key", "Value", "Headers"],
        records.map((r) => [["number", r.offset], when(r.timestamp_ms), ["code", shown(r.key)], ["code", shown(r.value)], ["code", r.headers.map(([n, v]) => `${n}: ${shown(v)}`).join("\n")]]), "No record there.");
    }),
    h("h2", {}, "Send"), action("Send", [field("Key (optional)", key), field("Value", value)], async () => {
      const { positions } = await api.post(`/v1/topics/${part(name)}/records`, { records: [{ key: key.value || null, value: value.value }] });
      return h("p", {}, `Sent to partition ${positions[0].partition}, offset ${positions[0].offset}.`);
    }),
  ];
}

async function letters(api, _, signal, again) {
  const all = await api.get("/v1/dlq");
  const names = [...new Set(all.map((l) => l.topic))];
  return [
    names.map((name) => action(`Send those of ${name} again`, [], async () => { const done = await api.post(`/v1/dlq/${part(name)}/redrive`, { max: 1000 }); await again(); return json(done); })),
    all.length ? all.map((letter) => json(letter)) : h("p", { class: "about" }, "No record was set aside."),
  ];
}

// The matrix.

async function matrix(api) {
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
      json(await api.post("/v1/permissions/explain", { principal: who.value, ...(column.value && { column: column.value, name: name.value || null }) }))),
  ];
}

// Components and hosts.

async function components(api) {
  const all = await api.get("/v1/plugins");
  return table(["Component", "Kind", "Signed by", "Digest", "About"], all.map((p) => [`${p.name}@${p.version}`, p.kind ?? mark("refused"),
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
  { name: "topics", title: "Topics", draw: topics },
  { name: "letters", title: "Dead letters", draw: letters },
  { name: "matrix", title: "Matrix", draw: matrix },
  { name: "audit", title: "Audit", draw: audit },
  { name: "components", title: "Components", draw: components },
  { name: "hosts", title: "Hosts", draw: hosts },
];
