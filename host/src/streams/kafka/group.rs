//! A member of a consumer group: what the group tells it, and how it answers.
//!
//! What is gained is acknowledged at once, without any partition: the worker assigns each when its state is restored,
//! and no rebalance waits for that. What is lost is acknowledged by the worker, when nothing of it is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, TopicPartitionList};
use tokio::sync::Notify;

use super::link::{Link, LinkContext};
use super::native::GroupMetadata;
use super::queue::waiting_events;

/// A consumer in a group.
pub(super) type GroupConsumer = BaseConsumer<GroupContext>;

/// A partition of a topic.
pub(super) type Place = (String, u32);

/// How the partitions of a group move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Everyone gives everything up, and partition `p` of all topics goes to one member.
    Eager,
    /// Only what moves is given up. Only for one topic: it does not keep the partitions of several together.
    Cooperative,
}

impl Protocol {
    /// The protocol of a group that reads so many topics.
    pub(super) fn of(topics: usize) -> Self {
        if topics == 1 { Self::Cooperative } else { Self::Eager }
    }

    /// Librdkafka's `partition.assignment.strategy`.
    pub(super) fn strategy(self) -> &'static str {
        match self {
            Self::Eager => "range",
            Self::Cooperative => "cooperative-sticky",
        }
    }
}

/// A decision of the group.
#[derive(Debug)]
pub(super) enum Change {
    /// These partitions are ours too, as the member of this name.
    Gained(Vec<Place>, String),
    /// These are to be given up. The group waits for [`Member::release`].
    Lost(Vec<Place>),
}

/// What there is to know since the last time.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Decisions in order. The group takes none that is not acknowledged, so there are never many.
    pub(super) changes: Vec<Change>,
    /// The newest error.
    pub(super) error: Option<KafkaError>,
    /// The consumer can't go on.
    pub(super) is_dead: bool,
    /// A message came that belongs into a partition's own queue.
    pub(super) has_stray: bool,
}

/// Takes note of what the group decides while the consumer is polled.
pub(super) struct GroupContext {
    link: LinkContext,
    protocol: Protocol,
    news: Mutex<News>,
    wake: Arc<Notify>,
    is_leaving: AtomicBool,
}

impl GroupContext {
    fn note<T>(&self, take: impl FnOnce(&mut News) -> T) -> T {
        let answer = take(&mut self.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_one();
        answer
    }

    fn give_back(&self, consumer: &GroupConsumer, partitions: &TopicPartitionList) -> Result<(), KafkaError> {
        match self.protocol {
            Protocol::Eager => consumer.unassign(),
            Protocol::Cooperative => consumer.incremental_unassign(partitions),
        }
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
    fn rebalance(&self, consumer: &GroupConsumer, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let nothing = TopicPartitionList::new();
        let answered = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                let member = GroupMetadata::of(consumer.client()).map(|now| now.member()).unwrap_or_default();
                // The worker must not assign something before this has answered: the answer would take it away again.
                self.note(|news| {
                    news.changes.push(Change::Gained(names(partitions), member));
                    match self.protocol {
                        Protocol::Eager => consumer.assign(&nothing),
                        Protocol::Cooperative => consumer.incremental_assign(&nothing),
                    }
                })
            }
            _ if self.is_leaving.load(Ordering::SeqCst) => self.give_back(consumer, &nothing),
            _ => {
                self.note(|news| news.changes.push(Change::Lost(names(partitions))));
                Ok(())
            }
        };
        if let Err(error) = answered {
            tracing::warn!(target: "wasmill::kafka", %error, "answering the group");
        }
    }
}

/// A member of a group. Leaves it when dropped, which blocks.
pub(super) struct Member {
    consumer: GroupConsumer,
}

impl Member {
    /// Joins a group. `attention` and `wake` are notified when librdkafka has something to tell, `wake` also when
    /// there is news.
    pub(super) fn join(
        config: &ClientConfig,
        topics: &[String],
        link: Arc<Link>,
        wake: Arc<Notify>,
        attention: Arc<Notify>,
    ) -> Result<Self, KafkaError> {
        let context = GroupContext {
            link: LinkContext(link),
            protocol: Protocol::of(topics.len()),
            news: Mutex::default(),
            wake: wake.clone(),
            is_leaving: AtomicBool::new(false),
        };
        let mut consumer: GroupConsumer = config.create_with_context(context)?;
        consumer.set_nonempty_callback(move || {
            wake.notify_one();
            attention.notify_one();
        });
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics)?;
        Ok(Self { consumer })
    }

    /// The consumer, for questions and for fetching.
    pub(super) fn consumer(&self) -> &GroupConsumer {
        &self.consumer
    }

    /// The native client.
    pub(super) fn client(&self) -> &Client<GroupContext> {
        self.consumer.client()
    }

    /// How the group's partitions move.
    pub(super) fn protocol(&self) -> Protocol {
        self.consumer.context().protocol
    }

    /// Lets librdkafka tell what it has. Whoever calls this, and at whatever moment: it only takes notes.
    pub(super) fn attend(&self) {
        let context = self.consumer.context();
        loop {
            match self.consumer.poll(Duration::ZERO) {
                Some(Ok(_)) => context.note(|news| news.has_stray = true),
                Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                    tracing::warn!(target: "wasmill::kafka", ?code, "the consumer died; joining the group again");
                    context.note(|news| news.is_dead = true);
                }
                Some(Err(error)) => context.note(|news| news.error = Some(error)),
                None => {}
            }
            if waiting_events(self.client()) == 0 {
                return;
            }
        }
    }

    /// What was noted since the last call.
    pub(super) fn take_news(&self) -> News {
        std::mem::take(&mut *self.consumer.context().news.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins to fetch these partitions. They are the group's word, and none of them is fetched yet.
    pub(super) fn assign(&self, partitions: &TopicPartitionList) -> Result<(), KafkaError> {
        match self.protocol() {
            Protocol::Eager => self.consumer.assign(partitions),
            Protocol::Cooperative => self.consumer.incremental_assign(partitions),
        }
    }

    /// Ends fetching these partitions, and says so to the group if it waits for that. [`Protocol::Eager`]: all.
    pub(super) fn release(&self, partitions: &TopicPartitionList) -> Result<(), KafkaError> {
        self.consumer.context().give_back(&self.consumer, partitions)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let context = self.consumer.context();
        context.is_leaving.store(true, Ordering::SeqCst);
        // A loss that nobody acknowledged would hold up the leaving. Whatever it answers, leaving goes on.
        let _ = context.give_back(&self.consumer, &TopicPartitionList::new());
    }
}

/// Drops a client without holding up the caller: leaving a group asks the broker, and closing takes up to 100 ms.
pub(super) fn retire<C: Send + 'static>(client: C) {
    finish(move || drop(client));
}

/// Does what is left to do without holding up the caller.
pub(super) fn finish(work: impl FnOnce() + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        // The runtime waits for it when it ends, so that a host that stops has left its groups.
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => work(),
    }
}

fn names(partitions: &TopicPartitionList) -> Vec<Place> {
    let elements = partitions.elements();
    elements.iter().map(|e| (e.topic().to_owned(), u32::try_from(e.partition()).unwrap_or(0))).collect()
}
