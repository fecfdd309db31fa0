//! `topics`: creating topics, where granted, within the bounds of the grant.

mod bounds;

use wasmill_registry::{CRON_TOPIC, TIMER_TOPIC};

use super::agents::BOOK_TOPIC;
use super::ask::Terms;
use super::errors;
use super::guest::{Guest, Identity, check};
use super::services::Services;
use crate::audit::AUDIT_TOPIC;
use crate::permissions::{Action, LimitName};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::topics::{Host, Settings};
use crate::streams::{StreamError, TopicChange};

/// Topics that begin so belong to the broker, hold agents' state, say which agents were started, have the audit trail or what forges do, or are no topics but what
/// timers come as. No pattern of the matrix reaches them: a `*` is meant for topics, and whoever writes another agent's
/// state is that agent.
const RESERVED: [&str; 7] = ["__", "wasmill.state.", TIMER_TOPIC, CRON_TOPIC, BOOK_TOPIC, AUDIT_TOPIC, FORGE_TOPIC];

/// The topic on which hosts tell what their forges do.
pub const FORGE_TOPIC: &str = "wasmill.forge";

/// Refuses a topic that no component may touch, whatever is granted.
///
/// # Errors
/// `invalid`
pub(super) fn refuse_reserved(topic: &str) -> Result<(), Error> {
    if !RESERVED.iter().any(|prefix| topic.starts_with(prefix)) {
        return Ok(());
    }
    Err(errors::invalid(
        "topic.reserved",
        format!("topic `{topic}` is the host's or the broker's own"),
        "use a name that doesn't begin with `__` or `wasmill.`",
    ))
}

/// Makes a topic for a component, where its grant allows exactly this.
async fn make(identity: &Identity, services: &Services, name: String, settings: Settings) -> Result<bool, Error> {
    refuse_reserved(&name)?;
    check(identity, services, Action::TopicCreate(&name))?;
    services.leave()?;
    // One after the other, so that two can't both be the last one that is allowed.
    let _turn = services.making_topics.lock().await;
    let there = services.streams.topics().await.map_err(|e| errors::stream(&e))?;
    if there.iter().any(|topic| topic.name == name) {
        return Ok(false);
    }
    let grant = &identity.grant;
    let shape = bounds::shape(name, settings, grant.limits())?;
    // What others have made under these names counts too: nobody notes who made a topic.
    let own = there.iter().filter(|topic| grant.check(Action::TopicCreate(&topic.name)).is_allowed()).count();
    let most = grant.limits().get(LimitName::TopicsMade);
    if own as u64 >= most.value {
        return Err(errors::limit(
            "topic.many",
            format!("{own} topics exist under the names that {} may create, the most: {most}", grant.principal()),
            "use those that are there, or raise topics_made where it is set",
        ));
    }
    match services.streams.change_topic(&TopicChange::Create(shape)).await {
        Ok(()) => Ok(true),
        Err(StreamError::TopicExists(_)) => Ok(false),
        Err(error) => Err(errors::stream(&error)),
    }
}

impl Host for Guest {
    async fn create(&mut self, name: String, partitions: u32) -> Result<bool, Error> {
        self.create_with(name, Settings { partitions, retention_ms: None, compacted: false }).await
    }

    async fn create_with(&mut self, name: String, settings: Settings) -> Result<bool, Error> {
        let place = self.place();
        let (identity, services) = (self.identity().clone(), self.services().clone());
        let shown = format!("create {name}");
        let request = &(name, settings);
        let call = move |_: Terms| async move {
            let (name, settings) = request.clone();
            make(&identity, &services, name, settings).await
        };
        self.ask(place, "topic", request, shown, call).await
    }
}
