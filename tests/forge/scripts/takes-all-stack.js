// Calls itself until there is no stack.
// stage: build
// code: component.source
// says: stack limit
function f() { return f() + 1; }
f();
