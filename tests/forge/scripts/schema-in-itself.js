// A schema that contains itself.
// stage: build
// code: component.source
// says: circular
const input = { type: "object" };
input.properties = { again: input };
export const f = { input, call() { return 1; } };
