//! `agents`: starting other agents below this one.
//!
//! Here is only decided whether somebody may write into the [`Book`]; what an entry comes to is decided by the catalog,
//! again and again, from what its maker may do then.

mod book;
mod started;

#[cfg(fuzzing)]
pub(crate) use book::fuzz_entries;
pub use book::{BOOK_TOPIC, Book};
pub use started::{Maker, Started};

use super::ask::Terms;
use super::errors;
use super::guest::{Guest, Identity, check};
use super::services::Services;
use super::topics::refuse_reserved;
use crate::permissions::{Action, LimitName};
use crate::runtime::bindings::agents::{AgentSpec, Host};
use crate::runtime::bindings::errors::Error;

/// Starts an agent below whoever asks, where it may do all that is wanted. Gives its full name, and false where exactly
/// this is at work already.
///
/// # Errors
/// `denied`; `invalid` for what can't be; `limit`; those of the log.
pub async fn start(identity: &Identity, services: &Services, wanted: AgentSpec) -> Result<(String, bool), Error> {
    let maker = Maker::of(&identity.principal)
        .ok_or_else(|| errors::invalid("agents.maker", "only agents and clients start agents", ""))?;
    check(identity, services, Action::AgentStart(&wanted.component))?;
    for topic in &wanted.reads {
        refuse_reserved(topic)?;
        check(identity, services, Action::TopicRead(topic))?;
    }
    let (name, started) = Started::checked(maker, wanted)?;
    services.leave()?;
    let most = identity.grant.limits().get(LimitName::AgentsStarted);
    let is_new = services.book.start(&name, started, most).await?;
    Ok((name, is_new))
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
        let place = self.place();
        let (identity, services) = (self.identity().clone(), self.services().clone());
        let (request, shown) = (&agent, format!("start {} as {}", agent.component, agent.name));
        let call =
            move |_: Terms| async move { start(&identity, &services, request.clone()).await.map(|(_, is_new)| is_new) };
        self.ask(place, "agents", request, shown, call).await
    }

    async fn stop(&mut self, name: String) -> Result<bool, Error> {
        let place = self.place();
        let allowed = self.may_have_started();
        let (identity, services) = (self.identity().clone(), self.services().clone());
        let (request, shown) = (&("stop", name.clone()), format!("stop {name}"));
        let call = move |_: Terms| async move {
            allowed?;
            stop(&identity, &services, &request.1).await
        };
        self.ask(place, "agents", request, shown, call).await
    }

    async fn started(&mut self) -> Result<Vec<AgentSpec>, Error> {
        let journal = self.journal().cloned();
        if let Some(known) = journal.as_ref().and_then(|journal| journal.recorded(STARTED)) {
            return known;
        }
        let allowed = self.may_have_started();
        let (identity, services) = (self.identity().clone(), self.services().clone());
        let found = match allowed {
            Ok(()) => started(&identity, &services).await,
            Err(denied) => Err(denied),
        };
        if let Some(journal) = journal {
            journal.note(STARTED, &found);
        }
        found
    }
}

/// What a journal calls a look at what was started.
const STARTED: &str = "agents.started";

/// Stops an agent that whoever asks has started, by the last part of its name. False where there is none.
///
/// # Errors
/// `invalid` for the name of somebody else's; those of the log.
pub async fn stop(identity: &Identity, services: &Services, name: &str) -> Result<bool, Error> {
    // A name with a dot would be that of an agent further down, which has another maker.
    if name.contains('.') {
        return Err(errors::invalid("agents.name", "the name of an agent below has no dot", "name its last part"));
    }
    services.leave()?;
    let maker = Maker::of(&identity.principal);
    let is_own = |started: &Started| Some(&started.maker) == maker.as_ref();
    services.book.stop_if(&below(identity.principal.name(), name), is_own).await.map_err(|e| errors::stream(&e))
}

async fn started(identity: &Identity, services: &Services) -> Result<Vec<AgentSpec>, Error> {
    services.book.catch_up().await.map_err(|e| errors::stream(&e))?;
    let maker = Maker::of(&identity.principal);
    let all = services.book.current();
    let own = all.iter().filter(|(_, started)| Some(&started.maker) == maker.as_ref());
    Ok(own.map(|(name, started)| started.to_guest(name)).collect())
}
