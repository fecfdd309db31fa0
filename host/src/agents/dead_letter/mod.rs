//! Dead letters: records that an agent can't handle, set aside on `<topic>.dlq` with the reason, and their way back.
//!
//! Which of them still wait is known by the committed offsets of a consumer group of its own, so that sending them again
//! is one transaction like any other work: each goes back once, whatever happens meanwhile.

mod letter;
mod redrive;
mod set_aside;
mod waiting;

pub use letter::{DeadLetter, Origin};
pub use redrive::{Redriven, redrive};
pub use set_aside::topic_of;
pub(super) use set_aside::{Reason, set_aside};
pub use waiting::{list, list_all, redrive_group_of};
