// Offers nothing.
// stage: build
// code: component.source
// says: exports no function
const f = { call() { return 1; } };
