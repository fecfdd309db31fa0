//! A shadow run: a new version of a tool or an agent gets what the current one got last, beside it, and what they make of
//! it is compared. Nothing is sent, kept or counted, and nothing leaves the host.
//!
//! Both versions get the same in the same order: of a tool the calls that journals of runs have kept, else the examples of
//! its makers; of an agent the last records of its topics, one at a time, with state that begins empty. Nothing here decides
//! what work may ask of the outside: see `capabilities::shadow`.

mod agent;
mod given;
mod report;
mod run;
mod tool;

pub use report::{Compared, Given, LAST_MAX, Micros, ShadowReport, Side};
pub use run::shadow;
