// Never comes to its end.
// stage: build
// code: component.source
// says: reached its deadline limit
for (;;) {}
