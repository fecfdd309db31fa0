//! Learns how the lines of a log source are built and writes the source of a parser for it.
//!
//! Pure functions from lines to data and text: nothing here knows of WebAssembly, topics or the host.

pub mod codegen;
mod examples;
mod infer;
mod learn;
mod mine;
pub mod model;
mod names;
mod next;
pub mod runtime;
pub mod source;

pub use examples::{Example, examples};
pub use learn::{TEMPLATES_MAX, learn};
pub use model::Learned;
pub use names::slug;
pub use next::next;
