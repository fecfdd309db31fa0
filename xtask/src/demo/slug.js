// Turns a title into a part of an address.
export const slug = {
  description: "Turns a title into a part of an address.",
  input: {
    type: "object",
    properties: { title: { type: "string", description: "Any title." } },
    required: ["title"],
    additionalProperties: false,
  },
  output: { type: "string" },
  call({ title }) {
    const plain = title.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
    return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  },
};
