// Is fine until it is called.
// stage: examine
// code: forge.example
// says: reached its
export const f = { call() { for (;;) {} } };
