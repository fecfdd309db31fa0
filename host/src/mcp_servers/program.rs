//! A server that is a program: what it sees and may use in the sandbox, and what it says at its end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::ServerError;
use super::config::Program;
use super::connect::filled;
use super::mask::Mask;
use crate::capabilities::{Secrets, names_secret};
use crate::catalog::plain;
use crate::sandbox::{SandboxLimits, View, with_libraries};

/// Last bytes of a program's standard error that are kept.
const WORDS_SIZE_MAX: usize = 1024;

/// What the program sees: a shell that sets its limits, what host.toml names, and an empty folder for its own files.
pub(super) fn view(program: &Program, secrets: &Secrets, mask: &mut Mask) -> Result<View, ServerError> {
    let mut view = View::new();
    for file in with_libraries(&["/bin/sh".into()]) {
        view.read_only(&file, &file);
    }
    view.scratch("/tmp", program.scratch_bytes);
    for path in &program.paths {
        view.read_only(path, path);
    }
    view.env("HOME", "/tmp").env("TMPDIR", "/tmp").env("PATH", "/usr/bin:/bin");
    for (name, text) in &program.env {
        if names_secret(text) {
            let value = filled(text, secrets, mask)?;
            if value.contains('\0') {
                return Err(ServerError::Value(name.clone()));
            }
            view.secret_env(name, &value);
        } else {
            view.env(name, text);
        }
    }
    Ok(view)
}

pub(super) fn limits(program: &Program) -> SandboxLimits {
    SandboxLimits {
        // One that has used so much is started again.
        cpu_s: 24 * 60 * 60,
        memory_bytes: program.memory_bytes,
        file_bytes: program.scratch_bytes,
        scratch_bytes: program.scratch_bytes,
        processes: 256,
        open_files: 256,
        // Both are held by whoever holds the program: a call has its time, and a message its size.
        wall_ms: u64::MAX,
        output_bytes: usize::MAX,
    }
}

/// The first of the paths that a program may read which would show it something of `home`.
pub(super) fn shows(program: &Program, home: &Path) -> Option<String> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let home = real(home);
    let shows = |path: &&PathBuf| {
        let path = real(path);
        home.starts_with(&path) || path.starts_with(&home)
    };
    program.paths.iter().find(shows).map(|path| path.display().to_string())
}

/// The end of what a program says on its standard error.
#[derive(Clone, Default)]
pub(super) struct LastWords(Arc<Mutex<Vec<u8>>>);

impl LastWords {
    /// Reads until the program ends, and keeps the end.
    pub async fn listen(self, mut stderr: pipe::Receiver) {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend_from_slice(&buffer[..read]);
            let over = said.len().saturating_sub(WORDS_SIZE_MAX);
            said.drain(..over);
        }
    }

    pub fn told(&self, mask: &Mask) -> String {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = mask.text(String::from_utf8_lossy(&said).trim().to_owned());
        if text.is_empty() { text } else { format!("; it said: {}", plain(&text, WORDS_SIZE_MAX)) }
    }
}
