//! What makes a Wasmill component trustworthy before anything runs it: digests, signatures, statements, trust roots and
//! the on-disk layout that carries them.
//!
//! This crate knows no WebAssembly engine, no Kafka and no SQL.

mod manifest;
mod permissions;

pub use manifest::{Agent, Kind, Manifest};
pub use permissions::{HttpRule, Limits, Permissions, Topics};
