// Its schema refuses what every call brings: an object.
// stage: examine
// code: component.describe
// says: takes no object
export const f = { input: { type: "string" }, call() { return 1; } };
