//! Wasmill: a host that runs agents and the tools they write on Kafka topics, inside WebAssembly.

pub mod acls;
pub mod advisories;
pub mod agents;
pub mod approvals;
pub mod audit;
pub mod capabilities;
pub mod catalog;
pub mod cli;
pub mod console;
pub mod conversations;
pub mod doctor;
pub mod forge;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod gateway;
pub mod home;
pub mod host;
pub mod mcp;
pub mod mcp_servers;
pub mod meters;
pub mod permissions;
pub mod problem;
pub mod registries;
pub mod runs;
pub mod runtime;
pub mod sandbox;
pub mod schemas;
pub mod shadow;
pub mod store;
pub mod streams;
pub mod telemetry;
pub mod tool_topics;
pub mod topics;
pub mod trial;
pub mod vault;
pub mod watch;

/// Half of what librdkafka costs for a record with headers is the C library's allocator: one thread allocates each of
/// them, another frees it. With this one, which takes the C library's place, it is a third in all (measured).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
