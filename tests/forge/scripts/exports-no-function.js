// Offers something that can't be called.
// stage: build
// code: component.source
// says: the export `f` is no function of a tool
export const f = { description: "Nothing to call.", call: 7 };
