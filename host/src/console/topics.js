// Topics, their records, and those that were set aside.

import { h, table, when, link, part, action } from "./dom.js";

/** Most records that a search shows. */
const FOUND_MAX = 50;

const shown = (text) => text == null ? "–" : typeof text === "string" ? text : `base64:${text.base64}`;

function records(all, label) {
  return table([["number", "Partition"], ["number", "Offset"], "When", "Key", "Value", "Headers"],
    all.map((r) => [["number", r.partition], ["number", r.offset], when(r.timestamp_ms), ["code", shown(r.key)], ["code", shown(r.value)], ["code", r.headers.map(([n, v]) => `${n}: ${shown(v)}`).join("\n")]]), "No record there.", label);
}

export async function topics(api, name) {
  if (!name) {
    const all = await api.get("/v1/topics");
    return table(["Topic", ["number", "Partitions"], "Kept"], all.map((t) => [link("topics", t.name), ["number", t.partitions], t.compacted ? "newest of each key" : "by age"]), "There is no topic.");
  }
  const topic = await api.get(`/v1/topics/${part(name)}`);
  const path = `/v1/topics/${part(name)}/records`;
  const partition = h("input", { type: "number", min: 0, max: topic.partitions - 1, value: 0 });
  const offset = h("input", { type: "number", min: 0, value: Math.max(0, topic.watermarks[0].next - 20) });
  const wanted = h("input", { required: true });
  const key = h("input");
  const value = h("textarea");
  return [
    table(["Partition", ["number", "First"], ["number", "Next"]], topic.watermarks.map((w, i) => [String(i), ["number", w.first], ["number", w.next]]), ""),
    h("h2", {}, "Records"), action("Read", [h("label", {}, "Partition", partition), h("label", {}, "From offset", offset)], async () =>
      records((await api.get(`${path}?partition=${partition.value}&offset=${offset.value}&limit=50&wait_ms=0`)).records)),
    h("h2", {}, "Search by key"), action("Search", [h("label", {}, "Key, the whole of it", wanted)], async () => search(api, path, await api.get(`/v1/topics/${part(name)}`), wanted.value)),
    h("h2", {}, "Send"), action("Send", [h("label", {}, "Key (optional)", key), h("label", {}, "Value", value)], async () => {
      const { positions } = await api.post(path, { records: [{ key: key.value || null, value: value.value }] });
      return h("p", {}, `Sent to partition ${positions[0].partition}, offset ${positions[0].offset}.`);
    }),
  ];
}

/** Looks through every partition from its beginning; the host reads a bounded part at a time and says where to go on. */
async function search(api, path, topic, key) {
  const found = [];
  for (let partition = 0; partition < topic.partitions && found.length < FOUND_MAX; partition++) {
    let offset = topic.watermarks[partition].first;
    while (offset < topic.watermarks[partition].next && found.length < FOUND_MAX) {
      const { records, next } = await api.get(`${path}?partition=${partition}&offset=${offset}&limit=${FOUND_MAX - found.length}&key=${part(key)}`);
      found.push(...records);
      api.say(`Looked through partition ${partition} up to offset ${next}; ${found.length} found.`);
      if (next <= offset) break;
      offset = next;
    }
  }
  return [found.length >= FOUND_MAX && h("p", { class: "about" }, `The first ${FOUND_MAX}; read from the last offset to see more.`), records(found, "Records with the key")];
}

export async function letters(api, _, signal, again) {
  const all = await api.get("/v1/dlq");
  const names = [...new Set(all.map((l) => l.topic))];
  const where = (l) => `${l.topic}.dlq/${l.partition}@${l.offset}`;
  return [
    names.map((name) => action(`Send those of ${name} again`, [], async () => {
      const done = await api.post(`/v1/dlq/${part(name)}/redrive`, { max: 1000 });
      api.say(`${name}: ${Object.entries(done).map(([what, count]) => `${what} ${count}`).join(", ")}.`);
      await again();
    })),
    table(["Letter", "Was at", "Could not be handled by", "Why", ["number", "Tried"]],
      all.map((l) => [where(l), l.origin ? `${l.topic}/${l.origin.partition}@${l.origin.offset}` : "", l.agent ?? "", h("div", {}, h("code", {}, l.code ?? ""), " ", l.reason ?? "", l.stack && h("details", {}, h("summary", {}, "Where it trapped"), h("pre", { tabindex: "0" }, l.stack))), ["number", l.attempts ?? ""]]), "No record was set aside."),
  ];
}
