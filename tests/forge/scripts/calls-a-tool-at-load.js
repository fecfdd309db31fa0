// Works before anybody has asked it to.
// stage: build
// code: component.source
// says: may not call tool
wasmill.call("geo.locate", "locate", {});
export const f = { call() { return 1; } };
