//! Agents at work: which agent runs on which partition, and how a batch of records becomes a transaction.
//!
//! A worker polls, hands each partition's batch to that partition's warm instance, and commits what they all did
//! together with the consumed offsets. The supervisor keeps one worker for each agent that the catalog says may run.

mod again;
mod batch;
mod beside;
mod caution;
mod dead_letter;
mod group;
mod headers;
mod instance;
mod pace;
mod partition;
mod rehearse;
mod spans;
mod status;
mod supervisor;
mod task;
mod timers;
mod worker;

pub(crate) use again::again;
pub(crate) use batch::single;
pub use beside::{Beside, Gave, journal_of};
pub use dead_letter::{DeadLetter, Origin, Redriven, list, list_all, redrive, redrive_group_of, topic_of};
pub(crate) use dead_letter::{Reason, letter};
pub use group::group_of;
pub(crate) use headers::given_traceparent;
pub use rehearse::{Rehearsed, Time, rehearse};
pub use status::{AgentState, AgentStatus};
pub use supervisor::Supervisor;
pub use task::{Replayed, ReplayedStep, replay};
pub(crate) use task::{Stage, Window};
pub(crate) use worker::ensure_dead_letter_topics;
