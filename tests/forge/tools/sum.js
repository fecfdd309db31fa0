// Adds the numbers of a text.
export const sum = {
  description: "Adds the numbers of a text.",
  input: {
    type: "object",
    properties: { text: { type: "string", description: "Any text." } },
    required: ["text"],
    additionalProperties: false,
  },
  output: { type: "number" },
  call({ text }) {
    return (text.match(/\d+/g) ?? []).map(Number).reduce((a, b) => a + b, 0);
  },
};
