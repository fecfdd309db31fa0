// Answers with what JSON can't say.
// stage: examine
// code: forge.example
// says: BigInt
export const f = { call() { return 1n; } };
