//! What a host is doing at one moment, for those who watch: figures, the lag of its agents, and the forms that they are
//! shown in.
//!
//! Everything here is read from what others count and know. It must never change anything, and asks the log a bounded
//! number of questions.

mod figures;
mod held;
mod lag;
#[cfg(test)]
mod listed;
mod page;
mod view;

pub use figures::{AgentLine, ComponentFigures, Figures, HostFigures};
pub use held::{AgentHeld, TopicHeld, decode, encode, held};
pub use lag::{Lags, PartitionLag, Wanted};
pub use page::{Form, page};
pub use view::{AgentRow, HostRow, View, view};
