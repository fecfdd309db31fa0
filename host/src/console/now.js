// What is now: a picture that moves, and what waits for somebody.

import { h, table, mark, bytes, link, total } from "./dom.js";
import { topology } from "./topology.js";

export async function now(api, _, signal) {
  const cards = h("ul", { class: "cards" });
  const agents = h("div");
  const tools = h("div");
  const waiting = h("div");
  const picture = topology();
  const decide = async () => {
    const [cases, runs] = await Promise.all([api.get("/v1/approvals"), api.get("/v1/runs?status=diverged&limit=20")]);
    waiting.replaceChildren(table(["What", "Why", "Made for"], [
      ...cases.filter((c) => c.state === "waiting").map((c) => [link("approvals", c.component), `wants ${c.privileged.join(", ")}`, c.maker ?? "published"]),
      ...runs.map((r) => [link("runs", r.id, `run ${r.id.slice(0, 12)}`), "does not repeat itself: restart, pin or cancel it", r.agent]),
    ], "Nothing waits."));
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
    picture.update(now);
    before = now;
  };
  figures(await api.get("/v1/figures"));
  await decide();
  api.listen(signal, (name, value) => name === "figures" ? figures(value) : name === "changed" && decide());
  return [cards, h("h2", {}, "Waits for a decision"), waiting, h("h2", {}, "What goes where"), picture.elements,
    h("h2", {}, "Agents"), agents, h("h2", {}, "Tools that were called"), tools];
}
