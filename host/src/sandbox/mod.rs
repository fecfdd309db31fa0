//! The wall around native programs, compilers and MCP servers alike: bubblewrap, resource limits, a wall clock and a cap on output.
//!
//! What runs in here sees an empty file system with a handful of read-only pieces in it, an empty environment, no
//! network, no other processes and no kernel file systems. Knows nothing of Rust, MCP, requests or permissions.

mod limits;
mod programs;
mod run;
mod start;
mod view;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use limits::SandboxLimits;
pub use programs::with_libraries;
pub use run::{Ended, Finished};
pub use start::{Hold, Inside};
pub use view::View;

/// Why nothing can be run in a sandbox here.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// bubblewrap is not installed.
    #[error("bubblewrap (`bwrap`) is not installed")]
    Missing,
    /// bubblewrap is there and can't make a sandbox.
    #[error("bubblewrap can't make a sandbox here: {0}")]
    Unusable(String),
    /// Starting or waiting failed.
    #[error("the sandbox failed: {0}")]
    Io(#[from] std::io::Error),
}

impl SandboxError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "sandbox.missing",
            Self::Unusable(_) => "sandbox.unusable",
            Self::Io(_) => "sandbox.failed",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Missing => {
                "Install it (Debian and Ubuntu: `apt-get install bubblewrap`; Fedora: `dnf install bubblewrap`), then start the host again."
            }
            Self::Unusable(_) => {
                "Allow unprivileged user namespaces (`sysctl kernel.unprivileged_userns_clone=1`; on Ubuntu an AppArmor profile for bwrap), then see `wasmill doctor`."
            }
            Self::Io(_) => "Look whether the disk is full or the process limit is reached, then try again.",
        }
    }
}

/// A working bubblewrap. That one exists is the proof that a sandbox can be had.
#[derive(Debug, Clone)]
pub struct Sandbox {
    bwrap: PathBuf,
}

impl Sandbox {
    /// Finds bubblewrap and makes one empty sandbox with it, to see that it works.
    ///
    /// # Errors
    /// [`SandboxError::Missing`] and [`SandboxError::Unusable`], the latter with bubblewrap's own words.
    pub fn find() -> Result<Self, SandboxError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let bwrap = std::env::split_paths(&path)
            .chain([PathBuf::from("/usr/bin")])
            .map(|folder| folder.join("bwrap"))
            .find(|file| file.is_file())
            .ok_or(SandboxError::Missing)?;
        Self::with(&bwrap)
    }

    /// Uses this bubblewrap, after the same trial as in [`Sandbox::find`].
    ///
    /// # Errors
    /// As [`Sandbox::find`].
    pub fn with(bwrap: &Path) -> Result<Self, SandboxError> {
        let mut view = View::new();
        // Programs for the trial come from the whole system: it is ours and runs `true`.
        view.system();
        let trial = Command::new(bwrap)
            .args(view.arguments())
            .args(["--", "/bin/sh", "-c", "exit 0"])
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .map_err(|_| SandboxError::Missing)?;
        if !trial.status.success() {
            return Err(SandboxError::Unusable(String::from_utf8_lossy(&trial.stderr).trim().to_owned()));
        }
        Ok(Self { bwrap: bwrap.to_owned() })
    }

    /// bubblewrap's version, as it says it.
    pub fn version(&self) -> String {
        let output = Command::new(&self.bwrap).arg("--version").env_clear().output();
        output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
    }
}
