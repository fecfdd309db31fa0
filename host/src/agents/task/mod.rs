//! Task mode: one record is one run, many runs at once, each in its own instance with its own journal.
//!
//! The log says what is finished: a run's records, state and offset are committed in one transaction, as in stream mode. The
//! journal says what was asked on the way there. So a run that was cut off is given again by the log, begins again under
//! the same id, and is answered by its journal.

mod desk;
mod outcome;
mod replay;
mod session;
mod turn;
mod window;

pub use replay::{Replayed, ReplayedStep, replay};
pub use session::session;
pub(super) use turn::Task;
pub(crate) use window::{Stage, Window};
