//! Write agents and tools for Wasmill.
//!
//! A **tool** answers calls and keeps nothing between them. With the feature `typed` (on by default) it is a list of
//! functions: their documentation comments become descriptions, their types become JSON Schema.
//!
//! ```
//! wasmill_sdk::tool! {
//!     /// Counts the words of a text.
//!     pub fn count(
//!         /// Any text; words are what white space separates.
//!         text: String,
//!     ) -> Result<usize, String> {
//!         Ok(text.split_whitespace().count())
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! An **agent** takes records in batches:
//!
//! ```
//! use wasmill_sdk::{Agent, Batch, Failure, Outbox};
//!
//! #[derive(Default)]
//! struct Upper;
//!
//! impl Agent for Upper {
//!     fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
//!         for record in batch {
//!             let value = record.value().map(<[u8]>::to_ascii_uppercase);
//!             out.send("upper", record.key(), value.as_deref())?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! wasmill_sdk::agent!(Upper);
//! # fn main() {}
//! ```
//!
//! A component imports only what it calls: one that never touches [`forge`] cannot forge, and the host can see that.

mod agent;
pub mod agents;
mod batch;
#[doc(hidden)]
pub mod bindings;
pub mod config;
#[cfg(feature = "json")]
pub mod conversation;
#[cfg(feature = "engine")]
pub mod engine;
mod error;
pub mod forge;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "json")]
pub mod json;
pub mod log;
pub mod model;
mod outbox;
pub mod state;
pub mod timers;
mod tool;
pub mod tools;
pub mod topics;
#[cfg(feature = "typed")]
pub mod typed;

#[doc(hidden)]
pub use agent::Shell;
pub use agent::{Agent, Failure};
pub use batch::{Batch, Headers, Record, Records};
pub use bindings::agent::wasmill::plugin::errors::{Error, Problem};
pub use outbox::Outbox;
pub use tool::{Function, Tool};

#[cfg(feature = "typed")]
pub use schemars;
#[cfg(feature = "json")]
pub use {serde, serde_json};
