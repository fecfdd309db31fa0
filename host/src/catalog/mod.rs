//! Every component that is installed, and what becomes of it: callable, waiting for an admin, or refused.
//!
//! Verified by the registry, granted by the matrix, compiled by the runtime, linked to capabilities; all that comes
//! together here, and tools are called here. Knows nothing of partitions and workers.

mod answer;
mod call;
mod client;
mod component;
mod describe;
mod engine;
mod error;
mod explain;
mod grants;
mod health;
mod instance;
mod load;
pub(crate) mod names;
mod pair;
mod past;
mod quarantine;
mod remote;
mod rollback;
mod run;
mod snapshot;
mod started;
mod toolbox;
mod trail;
mod try_out;
mod uses;
mod veto;

pub(crate) use answer::{OWN_CODE, own_problem, plain};
pub use call::{end_of_call, is_about_time};
pub use component::{Agent, Body, Tool, ToolFunction};
pub use engine::ScriptEngine;
pub use error::CatalogError;
pub(crate) use explain::verified_candidates;
pub use explain::{Deciders, GrantOf, grant_of};
pub(crate) use grants::{Approvals, Candidate, Deciding, Signed};
pub use health::Failing;
pub use instance::new_store;
pub use load::{Catalog, CatalogConfig};
pub use pair::{Pair, Version};
pub use quarantine::{Quarantined, quarantined};
pub use remote::{Answered, Offer, Offered, RemoteTool, RemoteTools};
pub use rollback::{FailingTool, RolledBack};
pub use snapshot::{Refused, Snapshot, Waiting};
pub use toolbox::Toolbox;
pub use try_out::Tried;
pub use uses::Uses;
