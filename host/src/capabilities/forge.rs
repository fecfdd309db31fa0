//! `forge`: asking for a new tool.

use async_trait::async_trait;

use super::ask::Terms;
use super::errors;
use super::guest::{Guest, check};
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
        let place = self.place();
        let (identity, services, context) = (self.identity().clone(), self.services().clone(), self.context().clone());
        let (request, shown) = (&request, format!("build {}", request.name));
        let call = move |terms: Terms| async move {
            let language = match request.language {
                Language::Rust => "rust",
                Language::Javascript => "javascript",
            };
            check(&identity, &services, Action::Forge(language))?;
            services.leave()?;
            let forge = services.forge().ok_or_else(|| {
                errors::unavailable("forge.none", "this host has no forge", "see `wasmill doctor` for what it lacks")
            })?;
            let maker = Caller { identity, context: context.asking(terms.key, terms.deadline) };
            forge.build(&maker, request.clone()).await
        };
        self.ask(place, "forge", request, shown, call).await
    }
}
