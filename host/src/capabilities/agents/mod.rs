//! `agents`: starting other agents below this one.
//!
//! Here is only decided whether somebody may write into the [`Book`]; what an entry comes to is decided by the catalog,
//! again and again, from what its maker may do then.

mod book;
mod started;

pub use book::{BOOK_TOPIC, Book};
pub use started::Started;

use super::errors;
use super::guest::{Guest, Identity, check};
use super::services::Services;
use super::topics::refuse_reserved;
use crate::permissions::{Action, LimitName};
use crate::runtime::bindings::agents::{AgentSpec, Host};
use crate::runtime::bindings::errors::Error;

async fn start(identity: &Identity, services: &Services, wanted: AgentSpec) -> Result<bool, Error> {
    check(identity, services, Action::AgentStart(&wanted.component))?;
    for topic in &wanted.reads {
        refuse_reserved(topic)?;
        check(identity, services, Action::TopicRead(topic))?;
    }
    let (name, started) = Started::checked(identity.principal.name(), wanted)?;
    services.book.start(&name, started, identity.grant.limits().get(LimitName::AgentsStarted)).await
}

/// The name of what `maker` has started as `name`.
fn below(maker: &str, name: &str) -> String {
    format!("{maker}.{name}")
}

impl Guest {
    /// Who may start nothing at all may not look into the book either.
    fn may_have_started(&self) -> Result<(), Error> {
        let may = !self.identity().grant.effective().agents.is_empty();
        let denied = || check(self.identity(), self.services(), Action::AgentStart("*"));
        if may { Ok(()) } else { denied() }
    }
}

impl Host for Guest {
    async fn start(&mut self, agent: AgentSpec) -> Result<bool, Error> {
        let (identity, services) = (self.identity().clone(), self.services().clone());
        start(&identity, &services, agent).await
    }

    async fn stop(&mut self, name: String) -> Result<bool, Error> {
        self.may_have_started()?;
        let (identity, services) = (self.identity().clone(), self.services().clone());
        // A name with a dot would be that of an agent further down, which has another maker.
        if name.contains('.') {
            return Err(errors::invalid("agents.name", "the name of an agent below has no dot", "name its last part"));
        }
        services.book.stop(&below(identity.principal.name(), &name)).await.map_err(|e| errors::stream(&e))
    }

    async fn started(&mut self) -> Result<Vec<AgentSpec>, Error> {
        self.may_have_started()?;
        let (identity, services) = (self.identity().clone(), self.services().clone());
        services.book.catch_up().await.map_err(|e| errors::stream(&e))?;
        let maker = identity.principal.name();
        let all = services.book.current();
        let own = all.iter().filter(|(_, started)| started.maker == maker);
        Ok(own.map(|(name, started)| started.to_guest(name)).collect())
    }
}
