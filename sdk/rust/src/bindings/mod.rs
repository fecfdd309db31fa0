//! What `wit/` looks like from Rust: generated, never edited, knows nothing of the rest of the SDK.
//!
//! `cargo xtask bindings` writes these files anew; `cargo xtask bindings --check` says whether they still fit `wit/`.
//! They are checked in so that building a plugin needs no generator.
#![allow(
    missing_docs,
    unused_imports,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    clippy::unwrap_used
)]

#[rustfmt::skip]
pub mod agent;
#[cfg(feature = "engine")]
#[rustfmt::skip]
pub mod engine;
#[rustfmt::skip]
pub mod tool;
