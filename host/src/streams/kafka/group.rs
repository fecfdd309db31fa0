//! What the group tells a consumer: which partitions are its own from now on.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, TopicPartitionList};
use tokio::sync::Notify;

use super::link::{Link, LinkContext};

/// A consumer in a group.
pub(super) type GroupConsumer = BaseConsumer<GroupContext>;

/// A decision of the group.
#[derive(Debug)]
pub(super) enum Change {
    /// These partitions are ours; nothing is fetched before they are assigned.
    Gained(Vec<(String, u32)>),
    /// Nothing is ours any more.
    Lost,
}

/// Takes note of the group's decisions while the consumer is polled.
pub(super) struct GroupContext {
    link: LinkContext,
    changes: Mutex<Vec<Change>>,
}

impl GroupContext {
    /// The decisions since the last call.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.link.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.link.error(error, reason);
    }
}

impl ConsumerContext for GroupContext {
    /// Gives up at once, but leaves taking to the worker: it first restores the state, and then assigns.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let change = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Gained(names(partitions)),
            _ => {
                if let Err(error) = consumer.unassign() {
                    tracing::warn!(target: "wasmill::kafka", %error, "giving up partitions");
                }
                Change::Lost
            }
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    }
}

/// A member of a group that is woken by `wake` when there is something to poll.
pub(super) fn join(
    config: &ClientConfig,
    topics: &[String],
    link: Arc<Link>,
    wake: Arc<Notify>,
) -> Result<GroupConsumer, KafkaError> {
    let context = GroupContext { link: LinkContext(link), changes: Mutex::default() };
    let mut consumer: GroupConsumer = config.create_with_context(context)?;
    consumer.set_nonempty_callback(move || wake.notify_one());
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics)?;
    Ok(consumer)
}

/// Drops a client without holding up the caller: leaving a group asks the broker, and closing takes up to 100 ms.
pub(super) fn retire<C: Send + 'static>(consumer: C) {
    match tokio::runtime::Handle::try_current() {
        // The runtime waits for it when it ends, so that a host that stops has left its groups.
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(consumer))),
        Err(_) => drop(consumer),
    }
}

fn names(partitions: &TopicPartitionList) -> Vec<(String, u32)> {
    let elements = partitions.elements();
    elements.iter().map(|e| (e.topic().to_owned(), u32::try_from(e.partition()).unwrap_or(0))).collect()
}
