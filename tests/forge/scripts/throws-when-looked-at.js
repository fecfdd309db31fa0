// Answers each look at itself with an error.
// stage: build
// code: component.source
// says: do not look
export const f = new Proxy({}, { get() { throw new Error("do not look"); } });
