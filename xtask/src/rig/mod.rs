//! A host in a scratch home, driven by its command line as a person would: what `demo` and `loghub` stand on.
//!
//! It knows the binary `wasmill` and its JSON, and must never know what is shown with it.

mod build;
mod forged;
mod home;
mod host;
mod interrupt;
mod parsed;
mod wasmill;

pub use build::{binary, engine, plugins};
pub use forged::{Build, Builds};
pub use home::{PARSED, RAW, Scratch};
pub use host::{Host, Stages};
pub use interrupt::{check, listen, pause};
pub use parsed::{Line, Parsed};
pub use wasmill::Wasmill;
