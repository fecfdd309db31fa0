//! `forge`: asking for a new tool.

use async_trait::async_trait;

use super::errors;
use super::guest::Guest;
use super::tools::Caller;
use crate::permissions::Action;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::forge::{Host, Language, Outcome, Request};

/// Builds tools.
#[async_trait]
pub trait Forging: Send + Sync {
    /// Makes a tool for `maker`, whose grant bounds what the tool may do. The permission to forge was checked.
    async fn build(&self, maker: &Caller, request: Request) -> Result<Outcome, Error>;
}

impl Host for Guest {
    async fn build(&mut self, request: Request) -> Result<Outcome, Error> {
        let language = match request.language {
            Language::Rust => "rust",
        };
        self.check(Action::Forge(language))?;
        let forge = self.services().forge().ok_or_else(|| {
            errors::unavailable("forge.none", "this host has no forge", "see `wasmill doctor` for what it lacks")
        })?;
        let maker = Caller { identity: self.identity().clone(), context: self.context().clone() };
        forge.build(&maker, request).await
    }
}
