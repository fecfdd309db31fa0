//! Topics as code: what `topics.toml` declares, against what there is → the steps between them → the steps, done.
//!
//! The decision is [`plan`]: it takes what was declared and what was found, and does nothing. This folder never removes
//! a topic and never takes a partition away, whatever is declared.

mod amount;
mod apply;
mod declared;
mod differ;
mod plan;
mod readers;

pub use apply::{ApplyError, apply};
pub use declared::{DeclaredTopic, load, of_home};
pub use plan::{Blocked, Note, Plan, Refusal, Risk, RiskKind, Step, plan};
pub use readers::{Reader, readers, started};
