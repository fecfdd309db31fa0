//! Components that ask for something privileged: what waits, what an admin said, and why that counts.
//!
//! An approval is an admin's signature over component, manifest and permissions. It is kept in the store and believed
//! only for its signature, at every load anew: this folder must never take a row's word for anything, nor ever hold an
//! admin's key. Who signs does it elsewhere and hands in the envelope.

mod case;
mod desk;
mod error;
mod survey;
#[cfg(test)]
mod tests;

pub use case::{Case, CaseDetail, CaseState};
pub use desk::{APPROVALS_CHAIN, Desk, DeskParts};
pub use error::ApprovalError;
