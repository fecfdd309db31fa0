//! The permission matrix as Kafka's access rules, and how far a broker's rules are from them.
//!
//! A host has one Kafka user, so what it needs is the union of what its agents may do. The host itself goes on deciding
//! for each agent; the broker's rules are the wall around all of them. Decisions only: nothing here asks a broker, and
//! nothing here changes its rules.

mod command;
mod drift;
mod export;
mod reach;

pub use command::commands;
pub use drift::{Drift, drift};
pub use export::{Export, Note, Rule, Wanted, export};
