// Wants the engine's own library of files and processes.
// stage: build
// code: component.source
// says: could not load module 'std'
import * as std from "std";
export const f = { call() { return std.loadFile("/etc/hostname"); } };
