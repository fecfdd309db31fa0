// Throws what has no message.
// stage: build
// code: component.source
// says: it threw
throw null;
