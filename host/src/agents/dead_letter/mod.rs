//! Dead letters: records that an agent, or whoever else reads them, can't handle, set aside on `<topic>.dlq` with the reason, and their way back.
//!
//! Which of them still wait is known by the committed offsets of a consumer group of its own, so that sending them again
//! is one transaction like any other work: each goes back once, whatever happens meanwhile.

mod letter;
mod redrive;
mod set_aside;
mod waiting;

pub use letter::{DeadLetter, Origin};
pub use redrive::{Redriven, redrive};
pub(super) use set_aside::set_aside;
pub use set_aside::topic_of;
pub(crate) use set_aside::{Reason, letter};
pub use waiting::{list, list_all, redrive_group_of};
