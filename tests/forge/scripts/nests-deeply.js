// Is hard to read: brackets in brackets, made by the script itself.
// stage: build
// code: component.source
// says: stack limit
eval("[".repeat(1e6) + "]".repeat(1e6));
