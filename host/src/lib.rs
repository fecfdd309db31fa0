//! Wasmill: a host that runs agents and the tools they write on Kafka topics, inside WebAssembly.

pub mod permissions;
pub mod runtime;
pub mod streams;
