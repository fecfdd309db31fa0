// Holds on to more than it may have.
// stage: build
// code: component.source
// says: out of memory
const held = [];
for (;;) held.push(new Uint8Array(1e6).fill(1));
