//! The distribution registry, private to a test: started for it, gone with it.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::parts::{self, require};
use crate::server::{Launch, Server, free_port, until};

/// Who may use a registry with a login.
pub const USER: &str = "mill";
/// How that is proved.
pub const PASSWORD: &str = "for-the-tests-only";
/// The password, as Apache's htpasswd keeps it: bcrypt.
const HTPASSWD: &str = "mill:$2b$04$kYeZWvPC104wdUZsYJbLhO9JLfldZB8FtOnsma8DuEbbn7MHo.BxC\n";

/// A running registry without content. Dropping it stops the server and removes its files.
#[derive(Debug)]
pub struct OciRegistry {
    // Fields are dropped in this order: the server ends before its folder goes.
    _server: Server,
    folder: TempDir,
    port: u16,
}

impl OciRegistry {
    /// A registry for whoever reaches it, or `None` (said loudly) where the machine has none.
    ///
    /// # Panics
    /// When it is there and does not start, with what it wrote; and with `CI=true` when it is not there.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(|_| Ok(String::new()))
    }

    /// A registry that asks for [`USER`] and [`PASSWORD`].
    ///
    /// # Panics
    /// As [`OciRegistry::start`].
    #[must_use]
    pub fn start_with_login() -> Option<Self> {
        Self::start_with(|folder| {
            let file = folder.join("htpasswd");
            fs::write(&file, HTPASSWD)?;
            Ok(format!("auth: {{htpasswd: {{realm: mill, path: {}}}}}\n", file.display()))
        })
    }

    /// A registry with more settings, which are lines of its configuration.
    ///
    /// # Panics
    /// As [`OciRegistry::start`].
    #[must_use]
    pub fn start_with(settings: impl Fn(&Path) -> Result<String>) -> Option<Self> {
        let program = require(parts::docker_registry())?;
        // Between choosing a free port and listening on it, another process may take it.
        let mut last = None;
        for _ in 0..3 {
            match Self::start_on_free_port(&program, &settings) {
                Ok(running) => return Some(running),
                Err(error) => last = Some(error),
            }
        }
        panic!("{} does not start: {:?}", program.display(), last);
    }

    fn start_on_free_port(program: &Path, settings: &impl Fn(&Path) -> Result<String>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("wasmill-registry-").tempdir()?;
        let (port, at) = (free_port()?, folder.path());
        let config = at.join("config.yml");
        let data = at.join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\", secret: for-the-tests-only}}\n{}",
            data.display(),
            settings(at)?
        );
        fs::write(&config, text)?;
        let (program, config) = (program.display().to_string(), config.display().to_string());
        let command = [program, "serve".to_owned(), config];
        let log = at.join("log");
        let launch = Launch { command: &command, env: &[], log: &log, stop_signal: "TERM", user: None };
        let mut server = Server::start(&launch)?;
        let up = until(Duration::from_secs(60), || {
            !matches!(server.ended(), Ok(None)) || TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let alive = matches!(server.ended(), Ok(None));
        ensure!(up && alive, "it wrote:\n{}", fs::read_to_string(&log).unwrap_or_default());
        Ok(Self { _server: server, folder, port })
    }

    /// Its name and port.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The file in which it keeps the blob of this digest: 64 hexadecimal digits.
    #[must_use]
    pub fn blob(&self, digest: &str) -> PathBuf {
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(digest.get(..2).unwrap_or_default()).join(digest).join("data")
    }
}
