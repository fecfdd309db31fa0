//! Harness of the end-to-end suites: the real servers and clients, found, started and stopped.
//!
//! Nothing here imitates a server. What cannot be had on a machine is skipped loudly through
//! [`parts::require`], and with `CI=true` that is a failure.

pub mod acls;
pub mod binary;
pub mod chaos;
pub mod kafka;
pub mod oci;
pub mod otlp;
pub mod parts;
pub mod postgres;
pub mod replay;
pub mod scratch;
pub mod server;
pub mod terminal;
pub mod up;
pub mod web;
