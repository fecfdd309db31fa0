// A description without an end.
// stage: examine
// code: component.describe
// says: the description of `f` has over
export const f = { description: "x".repeat(1e5), call() { return 1; } };
