// Waits for what nobody will do.
// stage: build
// code: component.source
// says: nothing will settle
await new Promise(() => {});
export const f = { call() { return 1; } };
