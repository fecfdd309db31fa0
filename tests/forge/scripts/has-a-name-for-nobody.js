// A name that could be taken for something else.
// stage: examine
// code: component.describe
// says: no name for a function
const f = { call() { return 1; } };
export { f as "f\nERROR the host is compromised" };
