//! Where checkpoints lie: `<folder>/<state topic>/<partition>`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::format;
use crate::streams::kafka::state::Store;

/// Larger ones are neither written nor read, in bytes.
const SIZE_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// All checkpoints of a host.
pub(in crate::streams::kafka) struct Checkpoints {
    folder: PathBuf,
    /// Files are written one at a time, so that one name is enough for what is not finished.
    writing: Mutex<()>,
}

impl Checkpoints {
    /// Checkpoints in this folder, which is made when it is needed.
    pub(in crate::streams::kafka) fn new(folder: PathBuf) -> Self {
        Self { folder, writing: Mutex::new(()) }
    }

    /// The checkpoint of a partition. One that can't be read is removed.
    pub(in crate::streams::kafka) fn load(&self, topic: &str, partition: u32) -> Option<Store> {
        let path = self.path(topic, partition);
        let read = match read(&path) {
            Ok(bytes) => format::decode(partition, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(target: "wasmill::kafka", path = %path.display(), %error, "reading a checkpoint");
                None
            }
        };
        if read.is_none() {
            self.remove(topic, partition, "it is damaged");
        }
        read
    }

    /// Removes a checkpoint that is of no use.
    pub(in crate::streams::kafka) fn remove(&self, topic: &str, partition: u32, reason: &str) {
        let path = self.path(topic, partition);
        tracing::warn!(
            target: "wasmill::kafka", path = %path.display(), reason,
            "a checkpoint of state is of no use; the topic is read whole"
        );
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(target: "wasmill::kafka", path = %path.display(), %error, "removing a checkpoint");
        }
    }

    /// Writes what [`Self::encoded`] gave: afterwards there is the new one or, where that failed, the one before. That
    /// is only said in the log: nothing depends on it but time.
    pub(in crate::streams::kafka) fn save(&self, topic: &str, partition: u32, bytes: &[u8]) {
        let path = self.path(topic, partition);
        if bytes.len() as u64 > SIZE_MAX {
            return;
        }
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match write(&path, bytes) {
            Ok(()) => {
                tracing::debug!(target: "wasmill::kafka", path = %path.display(), bytes = bytes.len(), "saved state")
            }
            Err(error) => {
                tracing::warn!(target: "wasmill::kafka", path = %path.display(), %error, "writing a checkpoint")
            }
        }
    }

    /// A checkpoint as it will be written.
    pub(in crate::streams::kafka) fn encoded(partition: u32, store: &Store) -> Vec<u8> {
        format::encode(partition, store)
    }

    fn path(&self, topic: &str, partition: u32) -> PathBuf {
        self.folder.join(topic).join(partition.to_string())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SIZE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// State may be anything that an agent was told: nobody else reads it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = folder.join("unfinished");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}
