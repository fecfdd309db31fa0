// The same, later.
// stage: examine
// code: forge.example
// says: could not load module
export const f = { async call() { return (await import("/etc/hostname")).default; } };
