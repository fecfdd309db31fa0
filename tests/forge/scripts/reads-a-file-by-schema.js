// Has the host read a file, to check arguments by it.
// stage: examine
// code: component.describe
// says: is not a JSON Schema
export const f = { input: { $ref: "file:///etc/hostname" }, call() { return 1; } };
