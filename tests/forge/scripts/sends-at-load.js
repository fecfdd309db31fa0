// The same, to the outside.
// stage: build
// code: component.source
// says: may not send GET requests to api.example.com
wasmill.send({ url: "https://api.example.com/steal" });
export const f = { call() { return 1; } };
