//! `topics`: creating topics, where granted.

use wasmill_registry::{CRON_TOPIC, TIMER_TOPIC};

use super::errors;
use super::guest::Guest;
use crate::permissions::Action;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::topics::Host;
use crate::streams::{StreamError, TopicSpec};

/// Topics that begin so belong to the broker, hold agents' state, or are no topics but what timers come as. No pattern of
/// the matrix reaches them: a `*` is meant for topics, and whoever writes another agent's state is that agent.
const RESERVED: [&str; 4] = ["__", "wasmill.state.", TIMER_TOPIC, CRON_TOPIC];

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
        "use a name that doesn't begin with `__`, `wasmill.state.`, `wasmill.timer` or `wasmill.cron`",
    ))
}

impl Host for Guest {
    async fn create(&mut self, name: String, partitions: u32) -> Result<bool, Error> {
        refuse_reserved(&name)?;
        self.check(Action::TopicCreate(&name))?;
        let spec = TopicSpec { name, partitions, compacted: false };
        match self.services().streams.create_topic(&spec).await {
            Ok(()) => Ok(true),
            Err(StreamError::TopicExists(_)) => Ok(false),
            Err(error) => Err(errors::stream(&error)),
        }
    }
}
