//! Trying a component before it is signed: an author's cases against the built component, without any broker.
//!
//! The component runs on an ordinary host of its own in a scratch folder: the same limits, checks and code paths as at
//! work, only that its grant is everything its manifest wishes and nobody has to approve it. It must never read the
//! home, nor leave anything behind.

mod agent;
mod case;
mod compare;
mod find;
mod run;
mod tool;

pub use case::{AgentCase, Case, CaseError, Cases, Expected, Record, Task, Text, ToolCase};
pub use find::{Found, built, find};
pub use run::{Difference, Outcome, Report, run};
