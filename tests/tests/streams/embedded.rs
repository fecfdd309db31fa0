//! The embedded log, and what it promises beyond the contract.

mod child;
mod churn;
mod damage;
mod disk_full;
mod exact;
mod grow;
mod kill;
mod one_process;
mod retention;

use std::sync::Arc;

use tempfile::TempDir;
use wasmill::streams::embedded::{Embedded, EmbeddedConfig};
use wasmill::streams::{Streams, TopicSpec};

use crate::contract::subject::{Opening, Subject};

/// A log in a directory of its own.
pub async fn subject() -> Option<Subject> {
    let dir = Arc::new(TempDir::new().unwrap());
    Some(
        Subject::new(move || -> Opening {
            let dir = dir.clone();
            Box::pin(async move { open(dir.path()) as Arc<dyn Streams> })
        })
        .await,
    )
}

/// Opens a log with the ordinary settings.
fn open(dir: &std::path::Path) -> Arc<Embedded> {
    Embedded::open(dir, EmbeddedConfig::default()).unwrap()
}

/// A plain topic.
fn topic(name: &str, partitions: u32) -> TopicSpec {
    TopicSpec { name: name.to_owned(), partitions, compacted: false }
}
