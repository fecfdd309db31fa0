// What questions to language models took: by asker and hour, shaded, and by asker and model.

import { h, table, field } from "./dom.js";

const SHADES = 5;
const HOUR_MS = 3600e3;

/** Millionths of a currency's unit for people; small amounts keep their digits. */
const money = (micros, currency) => `${(micros / 1e6).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 6 })} ${currency}`.trim();
const number = (count) => count.toLocaleString();
const tokens = (use) => use.prompt_tokens + use.completion_tokens;

/** How dark a cell is, of 0 (nothing) to 5 (the most that there is). Each shade stands for as much more as the one before. */
const shade = (value, most) => value === 0 ? 0 : Math.max(1, Math.ceil(SHADES * value / most));

/** A cell for each asker and hour. What the colour says, the number says too. */
function heat(usage, of, show) {
  const hours = Array.from({ length: usage.to_hour - usage.from_hour + 1 }, (_, i) => usage.to_hour - i);
  const cells = new Map();
  for (const use of usage.uses) {
    const row = cells.get(use.principal) ?? cells.set(use.principal, new Map()).get(use.principal);
    row.set(use.hour, (row.get(use.hour) ?? 0) + of(use));
  }
  const most = Math.max(1, ...[...cells.values()].flatMap((row) => [...row.values()]));
  const title = (hour) => new Date(hour * HOUR_MS).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const cell = (value) => h("td", { class: `number heat-${shade(value, most)}` }, value ? show(value) : "");
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "By asker and hour" },
    h("table", { class: "heat" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Who"), hours.map((hour) => h("th", { class: "number", scope: "col" }, title(hour))))),
      h("tbody", {}, [...cells.keys()].sort().map((who) => h("tr", {}, h("th", { scope: "row" }, who), hours.map((hour) => cell(cells.get(who).get(hour) ?? 0)))))));
}

/** Sums by asker and model. */
function sums(usage) {
  const all = new Map();
  for (const use of usage.uses) {
    const name = JSON.stringify([use.principal, use.model]);
    const sum = all.get(name) ?? all.set(name, { who: use.principal, model: use.model, calls: 0, prompt: 0, completion: 0, cost: 0 }).get(name);
    sum.calls += use.calls;
    sum.prompt += use.prompt_tokens;
    sum.completion += use.completion_tokens;
    sum.cost += use.cost_micros;
  }
  return [...all.values()].sort((a, b) => b.cost - a.cost || b.prompt - a.prompt);
}

export async function cost(api) {
  const usage = await api.get("/v1/model/usage?hours=24");
  const amount = (micros) => money(micros, usage.currency);
  const views = { Tokens: [tokens, number], Cost: [(use) => use.cost_micros, (micros) => money(micros, "")] };
  const select = h("select", { change: () => draw() }, Object.keys(views).map((name) => h("option", {}, name)));
  const map = h("div");
  const draw = () => map.replaceChildren(heat(usage, ...views[select.value]));
  if (usage.uses.length) draw();
  return [
    h("h2", {}, "The last 24 hours, newest first, by asker and hour"),
    usage.uses.length ? [field("Show", select), map] : h("p", { class: "about" }, "No question to a model was answered."),
    h("h2", {}, "By asker and model"),
    table(["Who", "Model", ["number", "Answers"], ["number", "Tokens in"], ["number", "Tokens out"], ["number", "Cost"]],
      sums(usage).map((s) => [s.who, s.model, ["number", number(s.calls)], ["number", number(s.prompt)], ["number", number(s.completion)], ["number", amount(s.cost)]]), "Nothing yet."),
    h("h2", {}, "Towards the budgets of today (UTC)"),
    h("p", { class: "about" }, "With what was made for them, and what questions under way may take."),
    table(["Who", ["number", "Tokens"], ["number", "Cost"]], usage.today.map((d) => [d.principal, ["number", number(d.tokens)], ["number", amount(d.cost_micros)]]), "Nothing was asked today."),
  ];
}
