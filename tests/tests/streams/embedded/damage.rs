//! A file that isn't what it should be is named, and nothing panics.

use std::path::Path;

use tempfile::TempDir;
use wasmill::streams::embedded::{Embedded, EmbeddedConfig};
use wasmill::streams::{Record, StreamError, Streams};

use super::{open, topic};
use crate::contract::subject::{A_MOMENT, keyless};

/// A log with some records, closed.
async fn written() -> TempDir {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    log.create_topic(&topic("t", 1)).await.unwrap();
    for i in 0..20 {
        let records = vec![Record { value: Some(vec![i; 10_000]), ..keyless("") }];
        log.append("t", records).await.unwrap();
    }
    dir
}

/// Opens the log and reads everything.
async fn read_all(dir: &Path) -> Result<usize, StreamError> {
    let log = Embedded::open(dir, EmbeddedConfig::default())?;
    Ok(log.read("t", 0, 0, 100, A_MOMENT).await?.len())
}

#[tokio::test]
async fn a_file_that_is_no_log_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("log.redb");
    let text = b"this is not a log\n".repeat(1000);
    std::fs::write(&file, &text).unwrap();
    let error = read_all(dir.path()).await.unwrap_err();
    assert_eq!(error.code(), "log.damaged", "{error}");
    assert!(error.to_string().contains("log.redb"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), text);
}

#[tokio::test]
async fn a_file_that_was_cut_short_is_damaged() {
    let dir = written().await;
    let file = dir.path().join("log.redb");
    let size = std::fs::metadata(&file).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(size / 2).unwrap();
    let error = read_all(dir.path()).await.unwrap_err();
    assert_eq!(error.code(), "log.damaged", "{error}");
}

#[tokio::test]
async fn a_flipped_bit_in_a_record_is_noticed_when_it_is_read() {
    let dir = written().await;
    let file = dir.path().join("log.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    // The values are runs of one byte; the middle of such a run belongs to a record.
    let at = bytes.windows(5000).position(|run| run.iter().all(|byte| *byte == 13)).unwrap();
    bytes[at + 2500] ^= 0x10;
    std::fs::write(&file, bytes).unwrap();
    let error = read_all(dir.path()).await.unwrap_err();
    assert_eq!(error.code(), "log.damaged", "{error}");
    assert!(error.to_string().contains("topic `t`, partition 0, offset 13"), "{error}");
}
