//! Learns how the lines of a log source are built and writes the source of a parser for it.
//!
//! Pure functions from lines to data and text: nothing here knows of WebAssembly, topics or the host.

mod infer;
mod learn;
mod mine;
pub mod model;
pub mod runtime;

pub use learn::{TEMPLATES_MAX, learn};
pub use model::Learned;
