// Spends its time in the engine's own code, where no loop of the script's is.
// stage: build
// code: component.source
// says: reached its deadline limit
/^(a+)+$/.test("a".repeat(64) + "b");
