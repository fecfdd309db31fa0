//! Work that lasts: the journal of a run, and the decisions about it.
//!
//! A run is one record that an agent handles. Whatever it asks of the host is written down with its answer, and whatever
//! it reads (clocks, random numbers, state) can be repeated, so that the same run started again does the same without
//! asking twice. This folder knows neither which agent runs where nor what a capability does: a capability gives the
//! journal its request and a way to ask it.

mod answers;
mod blob;
mod decide;
mod identity;
mod journal;
mod reading;
mod repeatable;
mod stop;

pub use answers::Answers;
pub use blob::Blob;
pub use decide::{ATTEMPTS_MAX, AfterFailure, after_failure, pause};
pub use identity::{RecordPlace, run_id};
pub use journal::{Journal, Slot, Turn};
pub use repeatable::{Repeatable, afresh};
pub use stop::{Divergence, Stop};
