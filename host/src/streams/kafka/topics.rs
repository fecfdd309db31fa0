//! Topics: which there are, and new ones.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};

use super::admin::settings_of;
use super::blocking;
use super::checkpoint::age_max;
use super::clients::{ANSWER_MAX, Clients, STATE_PREFIX};
use super::errors::translate_code;
use super::link::LinkContext;
use super::names::state_topic;
use super::targets::Target;
use crate::streams::topic::check_topic;
use crate::streams::{StreamError, TopicShape, TopicSpec};

/// Means the broker's own default number of replicas.
const REPLICAS_DEFAULT: i32 = -1;

/// How long a new topic may take to be known everywhere.
pub(super) const KNOWN_MAX: Duration = Duration::from_secs(5);
/// How long to wait before the same question is asked again.
pub(super) const AGAIN: Duration = Duration::from_millis(20);

/// True for topics that Kafka or the host keeps for itself.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with("__") || name.starts_with(STATE_PREFIX)
}

/// A topic that holds state.
#[derive(Debug, Clone)]
pub(super) struct StateTopic {
    /// Its name.
    pub(super) name: String,
    /// Age from which on what is known of its state is not read on from.
    pub(super) age_max: Duration,
}

/// Topics of one Kafka.
pub(super) struct Topics {
    clients: Arc<Clients>,
    admin: AdminClient<LinkContext>,
}

impl Topics {
    /// Prepares to ask about topics. Doesn't wait for a broker.
    pub(super) fn new(clients: Arc<Clients>) -> Result<Self, StreamError> {
        let context = LinkContext(clients.link.clone());
        let admin = clients.admin_config().create_with_context(context).map_err(|e| clients.translate(&e, ""))?;
        Ok(Self { clients, admin })
    }

    /// All topics, sorted, without Kafka's and the host's own.
    pub(super) async fn list(&self) -> Result<Vec<TopicSpec>, StreamError> {
        let clients = self.clients.clone();
        let mut topics = blocking(move || clients.topics()).await??;
        topics.retain(|(name, _)| !is_reserved(name));
        topics.sort();
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<_> = topics.iter().map(|(name, _)| ResourceSpecifier::Topic(name)).collect();
        let answer = self.admin.describe_configs(&asked, &options()).await;
        let settings = answer.map_err(|e| self.clients.translate(&e, ""))?;
        let mut listed = Vec::with_capacity(topics.len());
        for ((name, partitions), settings) in topics.iter().zip(settings) {
            let compacted = settings.is_ok_and(|settings| is_compacted(&settings));
            listed.push(TopicSpec { name: name.clone(), partitions: *partitions, compacted });
        }
        Ok(listed)
    }

    /// Largest record in bytes.
    pub(super) fn record_bytes_max(&self) -> usize {
        self.clients.record_bytes_max
    }

    /// What is known of a topic that is written to; asks where nothing is known, or only something old.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`] where there is none.
    pub(super) async fn target(&self, topic: &str) -> Result<Arc<Target>, StreamError> {
        if let Some(target) = self.clients.targets.fresh(topic) {
            return Ok(target);
        }
        let (clients, name) = (self.clients.clone(), topic.to_owned());
        match blocking(move || clients.partitions(&name)).await? {
            Ok(partitions) => self.target_with(topic, partitions).await,
            // A broker that is away is no news of the topic; the transaction waits for it.
            Err(error) if error.is_transient() => self.clients.targets.get(topic).ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// The same of a topic that has so many partitions now.
    pub(super) async fn target_with(&self, topic: &str, partitions: u32) -> Result<Arc<Target>, StreamError> {
        let targets = &self.clients.targets;
        if let Some(target) = targets.fresh(topic).filter(|target| target.partitions() == partitions) {
            return Ok(target);
        }
        let is_compacted = match self.settings(topic).await {
            Ok(settings) => is_compacted(&settings),
            // Who may write to a topic needn't be allowed to see its settings. The broker refuses what must be refused.
            Err(error) => {
                tracing::debug!(target: "wasmill::kafka", topic, %error, "no settings");
                false
            }
        };
        Ok(targets.remember(topic, partitions, is_compacted))
    }

    /// Settings of a topic.
    async fn settings(&self, topic: &str) -> Result<ConfigResource, StreamError> {
        let asked = [ResourceSpecifier::Topic(topic)];
        let answer = self.admin.describe_configs(&asked, &options()).await;
        let answer = answer.map_err(|e| self.clients.translate(&e, topic))?.pop();
        let answer = answer.ok_or_else(|| StreamError::Failed(format!("no settings of topic `{topic}`")))?;
        answer.map_err(|code| translate_code(code, &code.to_string(), topic, &self.clients.link))
    }

    /// Creates a topic.
    pub(super) async fn create(&self, topic: &TopicSpec) -> Result<(), StreamError> {
        check_unreserved(topic)?;
        self.create_any(topic, REPLICAS_DEFAULT, self.clients.topic_settings(topic)).await
    }

    /// Creates a topic with its whole shape.
    pub(super) async fn create_shaped(&self, shape: &TopicShape) -> Result<(), StreamError> {
        check_unreserved(&shape.spec)?;
        let own = settings_of(&shape.keeps);
        let mut settings = self.clients.topic_settings(&shape.spec);
        settings.retain(|(name, _)| own.iter().all(|(own, _)| own != name));
        settings.extend(own);
        self.create_any(&shape.spec, shape.replicas.map_or(REPLICAS_DEFAULT, i32::from), settings).await
    }

    /// The topic that holds the state `name`; creates it where there is none.
    ///
    /// # Errors
    /// [`StreamError::InvalidTopic`] where it has too few partitions, or would lose what it holds.
    pub(super) async fn ensure_state(&self, name: &str, partitions: u32) -> Result<StateTopic, StreamError> {
        let topic = TopicSpec { name: state_topic(name), partitions, compacted: true };
        check_topic(&topic)?;
        match self.create_any(&topic, REPLICAS_DEFAULT, self.clients.topic_settings(&topic)).await {
            Ok(()) | Err(StreamError::TopicExists(_)) => {}
            Err(error) => return Err(error),
        }
        let (clients, name) = (self.clients.clone(), topic.name.clone());
        let found = blocking(move || clients.partitions(&name)).await??;
        if found < partitions {
            let reason = format!("it has {found} partitions and the topics that are read have {partitions}");
            return Err(StreamError::InvalidTopic { name: topic.name, reason });
        }
        let kept = match self.settings(&topic.name).await {
            Ok(settings) => {
                let policy = setting(&settings, "cleanup.policy").unwrap_or_default();
                if policy != "compact" {
                    let reason =
                        format!("its `cleanup.policy` is `{policy}`, and state would be lost; set it to `compact`");
                    return Err(StreamError::InvalidTopic { name: topic.name, reason });
                }
                setting(&settings, "delete.retention.ms").and_then(|text| text.parse().ok()).map(Duration::from_millis)
            }
            Err(error) if error.is_transient() => return Err(error),
            // Who may write to a topic needn't be allowed to see its settings; then no checkpoint of it counts.
            Err(error) => {
                tracing::info!(target: "wasmill::kafka", topic = topic.name, %error, "no settings, so no checkpoints");
                None
            }
        };
        Ok(StateTopic { name: topic.name, age_max: age_max(kept) })
    }

    async fn create_any(
        &self,
        topic: &TopicSpec,
        replicas: i32,
        settings: Vec<(&'static str, String)>,
    ) -> Result<(), StreamError> {
        let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
        let new = NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(replicas));
        let new = settings.iter().fold(new, |new, (name, value)| new.set(name, value));
        let answer = self.admin.create_topics([&new], &options()).await;
        for created in answer.map_err(|e| self.clients.translate(&e, &topic.name))? {
            created.map_err(|(name, code)| translate_code(code, &code.to_string(), &name, &self.clients.link))?;
        }
        // The controller has it; who asks the broker next should find it too.
        let begin = std::time::Instant::now();
        while begin.elapsed() < KNOWN_MAX {
            let (clients, name) = (self.clients.clone(), topic.name.clone());
            match blocking(move || clients.partitions(&name)).await? {
                Err(StreamError::UnknownTopic(_)) => tokio::time::sleep(AGAIN).await,
                known => return known.map(drop),
            }
        }
        Ok(())
    }
}

fn check_unreserved(topic: &TopicSpec) -> Result<(), StreamError> {
    check_topic(topic)?;
    if !is_reserved(&topic.name) {
        return Ok(());
    }
    let reason = format!("names that begin with `{STATE_PREFIX}` or `__` are not for others");
    Err(StreamError::InvalidTopic { name: topic.name.clone(), reason })
}

fn is_compacted(settings: &ConfigResource) -> bool {
    setting(settings, "cleanup.policy").is_some_and(|policy| policy.contains("compact"))
}

fn setting<'s>(settings: &'s ConfigResource, name: &str) -> Option<&'s str> {
    settings.get(name).and_then(|entry| entry.value.as_deref())
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ANSWER_MAX)).operation_timeout(Some(ANSWER_MAX))
}
