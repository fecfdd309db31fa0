//! Hostile guests on a real host: every attack that the `evil` plugins describe is started, and ends as its description
//! says. One file per kind of attack, as in `plugins/evil*/src`. After each attack the same host answers others.

mod agent;
mod calls;
mod coverage;
mod http;
mod lines;
mod ring;
mod server;
mod sockets;
mod tables;
mod tool;
