//! Brings what the forge has to say from the database to its topic. It is taken out of the database after it was sent: nothing
//! is left out, and after a crash some of it is there twice, with the same id.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use super::Host;
use crate::capabilities::FORGE_TOPIC;
use crate::forge::News;
use crate::store::{NewsRow, StoreError};
use crate::streams::{Record, StreamError, TopicSpec};

/// How often is looked whether there is something to send.
const LOOK: Duration = Duration::from_secs(1);
/// Pause after something could not be sent.
const PAUSE: Duration = Duration::from_secs(10);
/// Most records of one step.
const PAGE: u32 = 200;
/// Most that waits for a log that is away; of more, the oldest is forgotten.
const WAITING_MAX: u32 = 10_000;
/// How long the last word of a host that stops may take.
const LAST_WORD_MAX: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Log(#[from] StreamError),
}

impl Unsent {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Log(error) => error.code(),
        }
    }
}

impl Host {
    /// Sends until `stop` becomes true.
    pub(super) async fn tell_forge_news(&self, mut stop: watch::Receiver<bool>) {
        if self.forge.is_none() {
            return;
        }
        let mut said = None;
        loop {
            let pause = match self.send_forge_news().await {
                Ok(()) => {
                    said = None;
                    LOOK
                }
                Err(error) => {
                    if said.replace(error.code()) != Some(error.code()) {
                        let code = error.code();
                        tracing::warn!(
                            code,
                            "what the forge did is not sent to its topic now, and will be later: {error}"
                        );
                    }
                    if let Err(error) = self.store.trim_forge_news(&self.instance, WAITING_MAX).await {
                        tracing::debug!(code = error.code(), "what waits for the topic is not trimmed: {error}");
                    }
                    PAUSE
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        // What can't be sent now is sent after the next start.
        let _ = tokio::time::timeout(LAST_WORD_MAX, self.send_forge_news()).await;
    }

    async fn send_forge_news(&self) -> Result<(), Unsent> {
        loop {
            let rows = self.store.forge_news(&self.instance, PAGE).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.make_forge_topic().await?;
            let records: Vec<Record> = rows.iter().filter_map(|row| record(row, &self.name)).collect();
            if !records.is_empty() {
                self.streams.append(FORGE_TOPIC, records).await?;
            }
            self.store.remove_forge_news(&rows).await?;
        }
    }

    async fn make_forge_topic(&self) -> Result<(), StreamError> {
        // Looked for first: a host may be allowed to write and not to make it.
        let Err(StreamError::UnknownTopic(_)) = self.streams.watermarks(FORGE_TOPIC, 0).await else { return Ok(()) };
        let spec = TopicSpec { name: FORGE_TOPIC.to_owned(), partitions: 1, compacted: false };
        match self.streams.create_topic(&spec).await {
            Err(StreamError::TopicExists(_)) => Ok(()),
            done => done,
        }
    }
}

/// A record with CloudEvents 1.0 in its headers, as the Kafka protocol binding's binary mode has them. None for a row that
/// no host wrote.
fn record(row: &NewsRow, host: &str) -> Option<Record> {
    let news: News = serde_json::from_str(&row.news).ok()?;
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(news.at_ms) * 1_000_000).ok()?;
    let header = |name: &str, value: String| (name.to_owned(), value.into_bytes());
    Some(Record {
        key: Some(news.tool.clone().into_bytes()),
        value: Some(row.news.clone().into_bytes()),
        headers: vec![
            header("ce_specversion", "1.0".to_owned()),
            header("ce_type", format!("wasmill.forge.{}", news.event.word())),
            header("ce_source", format!("/hosts/{host}/forge")),
            header("ce_id", row.id.clone()),
            header("ce_subject", news.tool),
            header("ce_time", at.format(&Rfc3339).ok()?),
            header("content-type", "application/json".to_owned()),
        ],
        ..Record::default()
    })
}
