// Is no JavaScript.
// stage: build
// code: component.source
// says: SyntaxError
export const f = { call() { let x = ; } };
