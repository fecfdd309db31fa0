//! MCP: every tool that a client may call, for every program that speaks the Model Context Protocol.
//!
//! Two ways in, one server behind both: streamable HTTP on a port, where a bearer token says which client asks, and
//! standard input and output by `wasmill mcp`, which comes in over the home's socket. Whoever asks is `client:NAME` of
//! the permission matrix and nothing more: what is listed, called, built and read is decided by its rows at that moment.
//! This folder turns messages into calls and answers into messages. It must never decide what is allowed.

mod answer;
mod ask;
mod forge;
#[cfg(fuzzing)]
mod fuzzing;
mod port;
mod server;
mod socket;
mod topics;

#[cfg(fuzzing)]
pub(crate) use fuzzing::message as fuzz_message;
pub use port::McpPort;
pub use server::McpServer;
pub use socket::{relay, routes};
