//! The attacks of `plugins/evil-agent`, each a record on a topic that the running agent reads.

mod arena;
mod columns;
mod forging;
mod limits;
mod lost;
mod memory;
mod others;
mod starting;
mod stored;
mod timers;
mod topic;

pub use arena::Arena;
