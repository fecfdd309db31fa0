// A small script with a large answer.
// stage: examine
// code: forge.example
// says: reached its output size limit
export const f = { call() { return "x".repeat(3e6); } };
