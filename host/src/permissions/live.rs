//! The matrix of a running host: follows its file without a restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::sync::watch;
use wasmill_registry::Limits;

use super::error::MatrixError;
use super::matrix::Matrix;
use super::veto::{Veto, VetoStatus};

/// How often the file is looked at.
const POLL: Duration = Duration::from_millis(500);

/// The matrix in force. Cheap to clone; all clones see the same.
#[derive(Debug, Clone)]
pub struct SharedMatrix(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    host_limits: Limits,
    current: watch::Sender<Arc<Matrix>>,
    seen: Mutex<Seen>,
}

/// What the last look at the file found.
#[derive(Debug)]
struct Seen {
    stamp: Option<Stamp>,
    rejected: Option<String>,
}

/// What tells one version of the file from the next without reading it.
type Stamp = (SystemTime, u64);

/// The matrix in force, and what is wrong with a newer file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MatrixStatus {
    /// The file.
    pub path: PathBuf,
    /// Revision in force.
    pub revision: String,
    /// Number of rows in force.
    pub rows: usize,
    /// Why the file as it is now is not in force, where it isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
    /// The policy outside of the matrix, where host.toml names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub veto: Option<VetoStatus>,
}

impl SharedMatrix {
    /// Loads a file. `host_limits` are those of the host's settings, for where no row says anything.
    ///
    /// # Errors
    /// As [`Matrix::load`]: a host does not start on a bad file.
    pub fn open(path: &Path, host_limits: Limits) -> Result<Self, MatrixError> {
        let stamp = stamp(path);
        let matrix = Matrix::load(path)?.with_host_limits(host_limits.clone());
        let (current, _) = watch::channel(Arc::new(matrix));
        let seen = Mutex::new(Seen { stamp, rejected: None });
        Ok(Self(Arc::new(Shared { path: path.to_path_buf(), host_limits, current, seen })))
    }

    /// The matrix in force.
    pub fn current(&self) -> Arc<Matrix> {
        self.0.current.borrow().clone()
    }

    /// Revision in force.
    pub fn revision(&self) -> Arc<str> {
        self.0.current.borrow().revision().clone()
    }

    /// Announces every new matrix. Grants compiled from the old one must be compiled again.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Matrix>> {
        self.0.current.subscribe()
    }

    /// What is in force, and what was refused.
    pub fn status(&self) -> MatrixStatus {
        let current = self.current();
        let rejected = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).rejected.clone();
        MatrixStatus {
            path: self.0.path.clone(),
            revision: current.revision().to_string(),
            rows: current.rows().len(),
            rejected,
            veto: current.veto().map(|veto| veto.status()),
        }
    }

    /// Puts a policy over the rows, these and those that come. None: nobody vetoes anything.
    pub fn set_veto(&self, veto: Option<Arc<Veto>>) {
        self.0.current.send_if_modified(|current| {
            let old = current.revision().clone();
            *current = Arc::new(Matrix::clone(current).with_veto(veto));
            *current.revision() != old
        });
    }

    /// Reads the file now, whether it seems to have changed or not. Returns true where a new matrix came into force.
    ///
    /// # Errors
    /// What is wrong with the file; the old matrix stays in force.
    pub fn reload(&self) -> Result<bool, MatrixError> {
        let stamp = stamp(&self.0.path);
        let loaded = Matrix::load(&self.0.path);
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.stamp = stamp;
        seen.rejected = loaded.as_ref().err().map(ToString::to_string);
        drop(seen);
        let matrix = loaded?.with_host_limits(self.0.host_limits.clone());
        Ok(self.0.current.send_if_modified(|current| {
            let matrix = matrix.with_veto(current.veto().cloned());
            let changed = current.revision() != matrix.revision();
            *current = Arc::new(matrix);
            changed
        }))
    }

    /// Follows the file until the last clone of this matrix is gone. Must be called inside a tokio runtime.
    pub fn follow(&self) {
        let shared = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(POLL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(shared) = Weak::upgrade(&shared) else { return };
                // Two system calls, and a read of a small file when it changed: not worth a blocking thread.
                Self(shared).look();
            }
        });
    }

    fn look(&self) {
        let known = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).stamp;
        if stamp(&self.0.path) == known {
            return;
        }
        let old = self.revision();
        match self.reload() {
            Ok(true) => tracing::info!(%old, new = %self.revision(), "permission matrix reloaded"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(code = error.code(), in_force = %old, "new permission matrix refused, the old one stays: {error}");
            }
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[row]]\nprincipal = \"agent:a\"\n";
    const TWO: &str = "[[row]]\nprincipal = \"agent:a\"\nstate = true\n";

    fn shared() -> (tempfile::TempDir, PathBuf, SharedMatrix) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("permissions.toml");
        std::fs::write(&path, ONE).unwrap();
        let shared = SharedMatrix::open(&path, Limits::default()).unwrap();
        (dir, path, shared)
    }

    #[tokio::test]
    async fn a_changed_file_comes_into_force_without_a_restart() {
        let (_dir, path, shared) = shared();
        shared.follow();
        let mut changes = shared.subscribe();
        std::fs::write(&path, TWO).unwrap();
        tokio::time::timeout(Duration::from_secs(30), changes.changed()).await.unwrap().unwrap();
        assert!(shared.current().rows()[0].permissions.state);
    }

    #[test]
    fn a_bad_file_is_refused_and_the_old_one_stays() {
        let (_dir, path, shared) = shared();
        let before = shared.revision();
        std::fs::write(&path, "[[row]]\nprinciple = \"agent:a\"\n").unwrap();
        assert!(shared.reload().is_err());
        assert_eq!(shared.revision(), before);
        let rejected = shared.status().rejected.unwrap();
        assert!(rejected.contains("line 2") && rejected.contains("did you mean `principal`"), "{rejected}");

        std::fs::remove_file(&path).unwrap();
        assert!(shared.reload().is_err());
        assert_eq!(shared.revision(), before, "a removed file opens nothing and closes nothing");

        std::fs::write(&path, TWO).unwrap();
        assert!(shared.reload().unwrap());
        assert_eq!(shared.status().rejected, None);
    }

    #[test]
    fn the_same_text_again_is_no_change() {
        let (_dir, path, shared) = shared();
        std::fs::write(&path, ONE).unwrap();
        assert!(!shared.reload().unwrap());
    }
}
