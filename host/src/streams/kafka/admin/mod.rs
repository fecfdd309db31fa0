//! What is asked rarely, with a client of its own: whole shapes of topics and their changes, access rules, groups.

pub mod acl;
mod group;
mod native;
mod settings;

use std::sync::Arc;
use std::time::Instant;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, ResourceSpecifier};

pub use self::acl::AclView;
pub use self::group::GroupState;
use self::native::NativeError;
pub(super) use self::settings::write as settings_of;
use super::blocking;
use super::clients::{ANSWER_MAX, Clients};
use super::errors::translate_code;
use super::group::retire;
use super::link::LinkContext;
use super::names::state_topic;
use super::topics::{AGAIN, KNOWN_MAX, is_reserved};
use crate::streams::topic::check_topic;
use crate::streams::{StreamError, TopicShape, TopicSpec};

/// One administrative client. Gone when it is dropped.
pub(super) struct Admin {
    clients: Arc<Clients>,
    /// None only while it is being dropped.
    client: Option<Arc<AdminClient<LinkContext>>>,
}

impl Admin {
    /// A new one. Doesn't wait for a broker.
    pub(super) fn new(clients: Arc<Clients>) -> Result<Self, StreamError> {
        let context = LinkContext(clients.link.clone());
        let client = clients.admin_config().create_with_context(context).map_err(|e| clients.translate(&e, ""))?;
        Ok(Self { clients, client: Some(Arc::new(client)) })
    }

    /// All topics but Kafka's and the host's own, sorted, with what is known of them.
    pub(super) async fn shapes(&self) -> Result<Vec<TopicShape>, StreamError> {
        let client = self.client()?;
        let (clients, asked) = (self.clients.clone(), client.clone());
        let metadata = blocking(move || {
            // The shared clients know why nobody answers, where nobody does.
            clients.topics()?;
            asked.inner().fetch_metadata(None, ANSWER_MAX).map_err(|e| clients.translate(&e, ""))
        });
        let metadata = metadata.await??;
        let mut topics: Vec<(&str, u32, Option<u16>)> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none() && !is_reserved(topic.name()))
            .map(|topic| {
                let replicas = topic.partitions().iter().map(|partition| partition.replicas().len()).min();
                let replicas = replicas.and_then(|count| u16::try_from(count).ok());
                (topic.name(), u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX), replicas)
            })
            .collect();
        topics.sort_unstable();
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let resources: Vec<_> = topics.iter().map(|(name, ..)| ResourceSpecifier::Topic(name)).collect();
        let answers = client.describe_configs(&resources, &options()).await;
        let answers = answers.map_err(|e| self.clients.translate(&e, ""))?;
        let shapes = topics.into_iter().zip(answers).map(|((name, partitions, replicas), answer)| {
            let keeps = answer.map(|resource| settings::read(&resource)).unwrap_or_default();
            let compacted = keeps.cleanup.is_some_and(|cleanup| cleanup.is_compacting());
            TopicShape { spec: TopicSpec { name: name.to_owned(), partitions, compacted }, replicas, keeps }
        });
        Ok(shapes.collect())
    }

    /// Gives a topic more partitions, after the topics of states that are kept by its partitions.
    pub(super) async fn grow(&self, name: &str, partitions: u32, states: &[String]) -> Result<(), StreamError> {
        check_topic(&TopicSpec { name: name.to_owned(), partitions, compacted: false })?;
        for state in states.iter().map(|state| state_topic(state)) {
            match self.partitions(&state).await {
                Ok(count) if count < partitions => self.grow_one(&state, partitions).await?,
                // Who has kept nothing yet gets enough of them when it begins.
                Ok(_) | Err(StreamError::UnknownTopic(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.grow_one(name, partitions).await
    }

    async fn grow_one(&self, name: &str, partitions: u32) -> Result<(), StreamError> {
        let new = NewPartitions::new(name, partitions as usize);
        let answer = self.client()?.create_partitions([&new], &options()).await;
        for grown in answer.map_err(|e| self.clients.translate(&e, name))? {
            grown.map_err(|(name, code)| translate_code(code, &code.to_string(), &name, &self.clients.link))?;
        }
        // The controller has them; who asks the broker next should find them too.
        let begin = Instant::now();
        while self.partitions(name).await? < partitions && begin.elapsed() < KNOWN_MAX {
            tokio::time::sleep(AGAIN).await;
        }
        let (clients, topic) = (self.clients.clone(), name.to_owned());
        blocking(move || clients.learn_again(&topic)).await
    }

    /// Changes settings of a topic; those that are not named stay as they are.
    pub(super) async fn keep(&self, name: &str, settings: Vec<(&'static str, String)>) -> Result<(), StreamError> {
        let (client, topic) = (self.client()?, name.to_owned());
        let set = blocking(move || native::set_topic_settings(client.inner(), &topic, &settings, ANSWER_MAX)).await?;
        set.map_err(|error| self.translate(&error, name))
    }

    /// The broker's access rules, as far as it shows them to `principal`, which is us.
    pub(super) async fn acls(&self, principal: &str) -> Result<AclView, StreamError> {
        let (client, clients) = (self.client()?, self.clients.clone());
        let asked = blocking(move || {
            // The shared clients know why nobody answers, where nobody does.
            clients.topics()?;
            let rights = native::cluster_rights(client.inner(), ANSWER_MAX);
            Ok(rights.and_then(|rights| Ok((rights, native::acls(client.inner(), ANSWER_MAX)?))))
        });
        let (rights, listed) = asked.await??.map_err(|error| self.translate(&error, ""))?;
        Ok(AclView::of(&rights, listed, principal))
    }

    /// A consumer group as its coordinator sees it.
    pub(super) async fn group(&self, name: &str) -> Result<GroupState, StreamError> {
        let (client, asked) = (self.client()?, name.to_owned());
        let answer = blocking(move || group::ask(client.inner(), &asked)).await?;
        answer.map_err(|error| self.clients.translate(&error, ""))
    }

    async fn partitions(&self, topic: &str) -> Result<u32, StreamError> {
        let (clients, topic) = (self.clients.clone(), topic.to_owned());
        blocking(move || clients.partitions(&topic)).await?
    }

    fn client(&self) -> Result<Arc<AdminClient<LinkContext>>, StreamError> {
        self.client.clone().ok_or_else(|| self.clients.silence())
    }

    fn translate(&self, error: &NativeError, topic: &str) -> StreamError {
        translate_code(error.code, &error.text, topic, &self.clients.link)
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            retire(client);
        }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ANSWER_MAX)).operation_timeout(Some(ANSWER_MAX))
}
