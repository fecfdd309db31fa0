//! What makes a Wasmill component trustworthy before anything runs it: digests, signatures, statements, trust roots and
//! the on-disk layout that carries them.
//!
//! The way of a component: its files are a [`Bundle`], which anybody can make; [`Bundle::verify`] turns that into a
//! [`Verified`], and nothing else does; only a [`Verified`] can be put into a [`Registry`], and what comes out of one is
//! a [`Bundle`] again, to be verified with the trust roots of the moment.
//!
//! This crate knows no WebAssembly engine, no Kafka and no SQL. It never looks at the clock: who verifies says what time
//! it is.

mod advisory;
mod agentry;
mod approval;
mod check;
mod checkpoint;
mod component;
mod digest;
mod document;
mod dsse;
mod files;
mod keys;
mod layout;
mod lock;
mod manifest;
mod money;
mod names;
mod permissions;
mod policy;
mod provenance;
mod rollback;
mod schedule;
mod signature;
mod statement;
#[cfg(test)]
mod tests;
mod trust;

pub use advisory::{ADVISORY_SIZE_MAX, About, Advisory, Program, Says, Severity, VerifiedAdvisory, is_meant};
pub use agentry::{AGENTRY_INDEX_SIZE_MAX, AgentryError, AgentryIndex, AgentryKey, AgentryPlugin, Standing};
pub use approval::{Approval, VerifiedApproval};
pub use check::{BATCH_RECORDS_MAX, FieldError};
pub use checkpoint::{CHECKPOINT_SIZE_MAX, Checkpoint};
pub use component::{Bundle, COMPONENT_SIZE_MAX, Claim, ENVELOPE_SIZE_MAX, SOURCE_SIZE_MAX, Verified, sign};
pub use digest::{Digest, DigestError};
pub use document::{DocumentError, line_of, parse_document};
pub use dsse::{Envelope, pre_authentication_encoding};
pub use keys::{KeyError, KeyId, PublicKey, SecretKey};
pub use layout::{
    Blob, Entry, IMAGE_MANIFEST_SIZE_MAX, INDEX_SIZE_MAX, Image, Installed, LayoutError, LoadError, Part, Parts,
    Registry, entries_of,
};
pub use lock::{Leave, LockError, LockFile, Pin};
pub use manifest::{
    Agent, Cron, Engine, Kind, MANIFEST_SIZE_MAX, Manifest, ManifestError, Mode, RecordHeaders, Script,
};
pub use money::{Money, NoMoney};
pub use names::{NameError, Reference, check_component_name, check_topic_name, is_forged_name};
pub use permissions::{COLUMNS, HttpRule, Limits, Permissions, RISK_CLASSES, Topics};
pub use policy::{POLICY_SIZE_MAX, Policy, VerifiedPolicy};
pub use provenance::{BuildDefinition, Builder, Provenance, Resource, RunDetails};
pub use rollback::{ROLLBACK_SIZE_MAX, Rollback};
pub use schedule::{CRON_TOPIC, Schedule, TIMER_PAYLOAD_SIZE_MAX, TIMER_TOPIC, check_timer_name};
pub use signature::SignatureError;
pub use trust::{Role, Signer, TrustRoots, TrustedKey, trust_entry};
