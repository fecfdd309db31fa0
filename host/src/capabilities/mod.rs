//! What the host offers to guests: one file per capability, each with its link to the contract, its permission check
//! and its work.
//!
//! A capability checks the grant before it does anything else, and answers a denial as an error, never as a trap.
//! Nothing here decides which component runs where; that is for `catalog` and `agents`.

pub mod agents;
mod ask;
mod config;
mod context;
pub mod errors;
mod forge;
mod guest;
mod http;
mod http_journal;
mod linker;
mod log;
mod model;
mod records;
mod secret_text;
mod services;
mod shadow;
mod source;
mod state;
pub mod timers;
mod tools;
mod topics;

pub use context::{CALLS_UNDER_WAY_MAX, CallContext, UnderWay};
pub use errors::problem;
pub use forge::Forging;
pub use guest::{AgentSide, Guest, Identity, check, count};
pub use http::{guest_http_client, is_loopback};
pub use linker::{agent_linker, check_engine_imports, check_imports, engine_linker, tool_linker};
pub use log::LOG_LINES_PER_CALL_MAX;
pub use model::{Account, ModelClient, ModelConfig, Price};
pub use records::{Outbox, Stamp};
pub(crate) use secret_text::{fill, names_secret};
pub use services::{Secrets, Services, TopicNames};
pub use shadow::{AskedOutside, Came, Shadow};
pub use state::{StateView, guest_state, settled};
pub use tools::{Caller, Invocation, ToolCalls};
pub use topics::FORGE_TOPIC;
