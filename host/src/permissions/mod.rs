//! Who may do what: the matrix that an admin writes, compiled into grants, asked for decisions.
//!
//! `permissions.toml` → [`Matrix`] (rows) → [`Grant`] (one principal, compiled) → [`Decision`] (allowed, or a denial that
//! names the row that would have to change). Deny by default: what no row names is not allowed. What the rows allow a
//! policy outside of them may still deny ([`Veto`]).
//!
//! This folder decides and explains, nothing more. It must never know of WebAssembly, streams, SQL or signatures:
//! whoever holds a grant asks it, and whoever has verified an approval says so.

mod action;
mod column;
mod decision;
mod duty;
mod error;
mod explain;
mod grant;
mod grid;
mod limit_name;
mod limits;
mod live;
mod matrix;
mod meet;
mod nearest;
mod parse;
mod pattern;
mod principal;
mod rate;
mod risk;
mod rules;
#[cfg(test)]
mod tests;
mod tool_name;
mod validate;
mod veto;
mod wanted;
mod what_if;

pub use action::{Action, Attempt};
pub use column::{Column, Columns};
pub use decision::{Decision, Denial, Layer, RowRef};
pub use duty::Duty;
pub use error::MatrixError;
pub use explain::{ColumnExplanation, Explanation, LimitExplanation};
pub use grant::Grant;
pub use grid::{Grid, GridRow};
pub use limit_name::{LimitName, UNLIMITED};
pub use limits::{GrantLimits, Limit, LimitOrigin};
pub use live::{MatrixStatus, SharedMatrix};
pub use matrix::{FILE_BYTES_MAX, Matrix, Row};
pub use pattern::{PATTERN_BYTES_MAX, Pattern};
pub use principal::{NoPrincipal, Origin, Principal, PrincipalKind, PrincipalPattern};
pub use rate::{Rate, RateReached, Rates};
pub use risk::{Risk, Risks};
pub use veto::{Broken, Judge, Veto, VetoStatus};
pub use wanted::wanted_actions;
pub use what_if::{Change, Tried, attempt_of, changes};
