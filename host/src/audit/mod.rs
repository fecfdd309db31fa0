//! The audit trail as evidence: whether it is what hosts wrote, and the signatures that say so.
//!
//! Rows hang on each other by their hashes, which whoever writes into the database can make anew. What he can't make is a
//! [`keeper`]'s signature over a hash: it goes into the database, into a file of the home and onto a topic. [`verify`]
//! holds the rows against each other and against what was signed; [`survey`] brings all of it from where it lies.
//!
//! Here nothing is decided about who may do what, and nothing is written into the trail.

mod error;
mod fault;
mod file;
mod keeper;
mod publish;
mod survey;
mod topic;
mod verify;

pub use error::AuditError;
pub use fault::{Fault, FaultKind};
pub use keeper::{Keeper, KeeperParts};
pub use survey::{AuditReport, Survey, TopicSeen};
pub use topic::AUDIT_TOPIC;
pub use verify::{ChainCheck, ChainReport, Signed};
