// Settings: what this host is told to use, and credentials, which go in here and never come out again.

import { h, table, facts, field, mark, when, part, action } from "./dom.js";

/** Stands for any value, of whatever length. */
const MASK = "••••••••";

export async function settings(api, _, signal, again) {
  const [{ trace_url, model }, secrets] = await Promise.all([api.get("/v1/settings"), api.get("/v1/secrets")]);
  const known = model?.api_key_secret && secrets.some((s) => s.name === model.api_key_secret);
  const name = h("input", { required: true, maxlength: 64, pattern: "[A-Za-z0-9_.\\-]+", autocomplete: "off", value: known ? "" : model?.api_key_secret ?? "" });
  const value = h("input", { type: "password", required: true, autocomplete: "new-password" });
  return [
    h("h2", {}, "Model"),
    model ? facts([["Address", model.url], ["Model", model.model], ["Credential", model.api_key_secret && h("span", {}, h("code", {}, model.api_key_secret), " ", known ? "" : mark("missing"))]])
      : h("p", { class: "about" }, "None: ", h("code", {}, "[model]"), " in host.toml names one."),
    facts([["Traces", trace_url ?? "nowhere: [console] trace_url in host.toml"]]),
    h("h2", {}, "Credentials"),
    h("p", { class: "about" }, "Encrypted with ", h("code", {}, "secrets.key"), " of the home before they go into the database. They count at once, on every host that has this key, and are shown nowhere."),
    table(["Name", "Value", "From", "State", "Set by", "When"], secrets.map((s) => [h("code", {}, s.name), MASK, s.origin === "file" ? "secrets.toml" : "entered",
      mark(s.origin === "file" || s.is_usable ? "usable" : "another key"), s.changed_by ?? "", when(s.changed_ms)]), "There are none."),
    h("h2", {}, "Set one"),
    action("Set", [field("Name", name), field("Value", value)], async () => {
      const given = { name: name.value, value: value.value };
      value.value = "";
      await api.post("/v1/secrets", given);
      await again();
      api.say(`${given.name} is set.`);
    }),
    secrets.some((s) => s.origin === "entered") && [h("h2", {}, "Remove one"), secrets.filter((s) => s.origin === "entered").map((s) =>
      action(`Remove ${s.name}`, [], async () => {
        await api.delete(`/v1/secrets/${part(s.name)}`);
        await again();
        api.say(`${s.name} is removed.`);
      }))],
  ];
}
