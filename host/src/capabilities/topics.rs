//! `topics`: creating topics, where granted.

use super::errors;
use super::guest::Guest;
use crate::permissions::Action;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::topics::Host;
use crate::streams::{StreamError, TopicSpec};

impl Host for Guest {
    async fn create(&mut self, name: String, partitions: u32) -> Result<bool, Error> {
        self.check(Action::TopicCreate(&name))?;
        let spec = TopicSpec { name, partitions, compacted: false };
        match self.services().streams.create_topic(&spec).await {
            Ok(()) => Ok(true),
            Err(StreamError::TopicExists(_)) => Ok(false),
            Err(error) => Err(errors::stream(&error)),
        }
    }
}
