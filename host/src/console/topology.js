// The picture of topics, agents and tools: what goes from whom to where, how fast, and what lags behind.

import { h, svg, table, link } from "./dom.js";

const BOX = { width: 190, height: 46 };
const GAP = { x: 120, y: 22 };
const EDGE = 12;
/** Most boxes that are drawn; the table has all. */
const DRAWN_MAX = 60;
const PAGES = { agent: null, topic: "topics", tool: "tools", client: null };

/** Nodes and edges out of a reading and the one before it. An edge has a rate only where it is known. */
export function graph(now, before) {
  const nodes = new Map();
  const node = (id) => { if (!nodes.has(id)) nodes.set(id, { id, kind: id.slice(0, id.indexOf(":")), name: id.slice(id.indexOf(":") + 1) }); };
  const isSame = before && before.host.started_ms === now.host.started_ms && now.at_ms > before.at_ms;
  const counts = new Map(isSame ? before.flows.map((f) => [`${f.principal} ${f.kind} ${f.name}`, f.count]) : []);
  const rate = (f) => isSame ? (f.count - (counts.get(`${f.principal} ${f.kind} ${f.name}`) ?? 0)) * 1000 / (now.at_ms - before.at_ms) : null;
  const edges = new Map();
  const edge = (from, to, kind) => {
    node(from);
    node(to);
    const key = `${from} ${to} ${kind}`;
    if (!edges.has(key)) edges.set(key, { from, to, kind, count: 0, rate: isSame ? 0 : null, lag: null });
    return edges.get(key);
  };
  for (const agent of now.agents) {
    node(`agent:${agent.agent}`);
    nodes.get(`agent:${agent.agent}`).state = agent.state;
    for (const topic of agent.reads) {
      const lags = agent.lag.filter((l) => l.topic === topic);
      edge(`topic:${topic}`, `agent:${agent.agent}`, "reads").lag = lags.length ? lags.reduce((sum, l) => sum + l.records, 0) : null;
    }
  }
  for (const flow of now.flows) {
    const ends = flow.kind === "reads" ? [`topic:${flow.name}`, flow.principal] : [flow.principal, `${flow.kind === "calls" ? "tool" : "topic"}:${flow.name}`];
    Object.assign(edge(...ends, flow.kind), { count: flow.count, rate: rate(flow) });
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** The column of each node: one after the last of those that lead to it. Where they lead in a circle, the first one met begins. */
export function layers({ nodes, edges }) {
  const before = new Map(nodes.map((n) => [n.id, []]));
  for (const e of edges) before.get(e.to).push(e.from);
  const layer = new Map();
  const under = new Set();
  const of = (id) => {
    if (layer.has(id)) return layer.get(id);
    under.add(id);
    const found = before.get(id).filter((other) => !under.has(other)).reduce((most, other) => Math.max(most, of(other) + 1), 0);
    under.delete(id);
    layer.set(id, found);
    return found;
  };
  nodes.forEach((n) => of(n.id));
  return layer;
}

/** Where each node is drawn: columns by layer; in a column by where what leads to it is, then by name. */
export function places(graph) {
  const layer = layers(graph);
  const columns = [];
  for (const n of [...graph.nodes].sort((a, b) => a.id < b.id ? -1 : 1)) (columns[layer.get(n.id)] ??= []).push(n);
  const row = new Map();
  for (const column of columns) {
    const weight = (n) => {
      const rows = graph.edges.filter((e) => e.to === n.id && row.has(e.from)).map((e) => row.get(e.from));
      return rows.length ? rows.reduce((a, b) => a + b, 0) / rows.length : Infinity;
    };
    const weights = new Map(column.map((n) => [n.id, weight(n)]));
    column.sort((a, b) => (weights.get(a.id) === weights.get(b.id) ? 0 : weights.get(a.id) - weights.get(b.id)));
    column.forEach((n, i) => row.set(n.id, i));
  }
  const x = (id) => EDGE + layer.get(id) * (BOX.width + GAP.x);
  const y = (id) => EDGE + row.get(id) * (BOX.height + GAP.y);
  return {
    at: new Map(graph.nodes.map((n) => [n.id, { x: x(n.id), y: y(n.id) }])),
    width: columns.length * (BOX.width + GAP.x) - GAP.x + 2 * EDGE,
    height: Math.max(...columns.map((c) => c.length)) * (BOX.height + GAP.y) - GAP.y + 2 * EDGE,
  };
}

const perSecond = (rate) => rate == null ? "" : `${rate < 10 ? rate.toFixed(1) : rate.toFixed(0)}/s`;
const short = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;
const words = (e) => [perSecond(e.rate), e.lag ? `lag ${e.lag}` : ""].filter(Boolean).join(" · ");

function drawn(whole) {
  // What moves comes first where not all can be drawn.
  const kept = new Set();
  for (const e of [...whole.edges].sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0))) {
    if (new Set([...kept, e.from, e.to]).size <= DRAWN_MAX) kept.add(e.from).add(e.to);
  }
  whole.nodes.forEach((n) => kept.size < DRAWN_MAX && kept.add(n.id));
  const shown = { nodes: whole.nodes.filter((n) => kept.has(n.id)), edges: whole.edges.filter((e) => kept.has(e.from) && kept.has(e.to)) };
  const { at, width, height } = places(shown);
  const line = (e) => {
    const [a, b] = [at.get(e.from), at.get(e.to)];
    const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
    const bend = Math.max(40, Math.abs(x2 - x1) / 2);
    const path = svg("path", { d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`, class: `edge ${e.rate ? "moves" : ""} ${e.lag ? "lags" : ""}`, "marker-end": "url(#arrow)" });
    // Before the end, where lines that come from one box are apart.
    const text = svg("text", { x: x2 - 12, y: y2 - 6, class: `rate ${e.lag ? "lags" : ""}`, "text-anchor": "end" }, words(e));
    return [path, words(e) && text];
  };
  const box = (n) => {
    const { x, y } = at.get(n.id);
    return svg("g", {}, svg("title", {}, `${n.kind} ${n.name}${n.state ? `, ${n.state}` : ""}`),
      svg("rect", { x, y, width: BOX.width, height: BOX.height, rx: n.kind === "topic" ? 23 : 3, class: `node ${n.kind} ${n.state ?? ""}` }),
      svg("text", { x: x + 14, y: y + 18, class: "kind" }, n.state ? `${n.kind}, ${n.state}` : n.kind),
      svg("text", { x: x + 14, y: y + 36 }, short(n.name, 21)));
  };
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "topology", role: "img", "aria-label": `${shown.nodes.length} boxes and ${shown.edges.length} lines between them; the table says the same` },
    svg("defs", {}, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto-start-reverse" }, svg("path", { d: "M0,0 L8,4 L0,8 z", class: "tip" }))),
    shown.edges.map(line), shown.nodes.map(box));
  const left = whole.nodes.length - shown.nodes.length;
  return [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Picture of topics, agents and tools" }, picture),
    left > 0 && h("p", { class: "about" }, `${left} more are in the table only.`)];
}

/** The picture with its table; `update` draws both anew from a reading. */
export function topology() {
  const picture = h("div");
  const rows = h("div");
  let before;
  const update = (now) => {
    const whole = graph(now, before);
    before = now;
    const named = (id) => { const [kind, name] = [id.slice(0, id.indexOf(":")), id.slice(id.indexOf(":") + 1)]; return h("span", {}, `${kind} `, PAGES[kind] ? link(PAGES[kind], name) : name); };
    picture.replaceChildren(...(whole.nodes.length ? drawn(whole) : [h("p", { class: "about" }, "No agent works here, and nobody has called a tool.")]).filter(Boolean));
    // Whoever is on a link in it stays there.
    const focused = rows.contains(document.activeElement) && document.activeElement.getAttribute("href");
    rows.replaceChildren(table(["From", "To", "What", ["number", "So far"], ["number", "Rate"], ["number", "Lag"]],
      whole.edges.map((e) => [named(e.from), named(e.to), e.kind === "calls" ? "calls" : "records", ["number", e.count], ["number", perSecond(e.rate)], ["number", e.lag ?? ""]]), "Nothing goes anywhere."));
    if (focused) rows.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  };
  return { update, elements: [picture, h("details", {}, h("summary", {}, "The same as a table"), rows)] };
}
