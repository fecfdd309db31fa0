//! `wasmill up`: a whole host as a process of its own, as a service manager runs it.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use serde_json::Value;

use crate::binary::{Cli, wasmill};
use crate::parts::{self, require};
use crate::scratch::PATIENCE;
use crate::server::{Launch, Server, until};

/// A host at work. Dropping it stops it as Ctrl-C would.
#[derive(Debug)]
pub struct Up {
    server: Server,
    log: PathBuf,
}

impl Up {
    /// Starts the host of a home; it may not listen yet.
    ///
    /// # Panics
    /// When the process can't be started.
    #[must_use]
    pub fn spawn(cli: &Cli) -> Self {
        Self::spawn_with(cli, &[])
    }

    /// The same with environment variables.
    ///
    /// # Panics
    /// As [`Up::spawn`].
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test without its host has nothing to say")]
    pub fn spawn_with(cli: &Cli, env: &[(&str, String)]) -> Self {
        let home = cli.home().display().to_string();
        let command = [&wasmill().display().to_string(), "--home", &home, "--output", "json", "up"].map(str::to_owned);
        let log = cli.folder().join("up.log");
        let launch = Launch { command: &command, env, log: &log, stop_signal: "TERM", user: None };
        Self { server: Server::start(&launch).expect("the host starts"), log }
    }

    /// Starts the host of a home, and waits until it answers.
    ///
    /// # Panics
    /// When it ends instead, with what it wrote.
    #[must_use]
    pub fn start(cli: &Cli) -> Self {
        let mut up = Self::spawn(cli);
        up.wait(cli);
        up
    }

    /// Waits until the host answers.
    ///
    /// # Panics
    /// When it ends instead, with what it wrote.
    pub fn wait(&mut self, cli: &Cli) {
        let socket = cli.home().join("host.sock");
        let listens = until(PATIENCE, || self.has_ended() || UnixStream::connect(&socket).is_ok());
        assert!(listens && !self.has_ended(), "the host does not listen; it wrote:\n{}", self.log());
        // It listens before it is up, and answers afterwards.
        cli.run(&["status"]).expect_code(0);
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(mut self) {
        self.server.kill();
    }

    /// Everything that hosts of this home have written, standard output and error.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it said when it was up: where it can be reached.
    ///
    /// # Panics
    /// When it has said nothing yet.
    #[must_use]
    pub fn greeting(&self) -> Value {
        let log = self.log();
        let mut greetings = log.lines().rev().filter(|line| line.contains("\"host\":\"up\""));
        let greeting = greetings.next().and_then(|line| serde_json::from_str(line).ok());
        assert!(greeting.is_some(), "no greeting in:\n{log}");
        greeting.unwrap_or_default()
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.server.ended(), Ok(None))
    }
}

impl Cli {
    /// Signs a plugin of this repository with the home's key and installs it. `None` (said loudly) where it is not
    /// built.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn install(&self, plugin: &str) -> Option<()> {
        self.install_with(plugin, |manifest| manifest)
    }

    /// The same with another manifest, made of the plugin's own.
    ///
    /// # Panics
    /// As [`Cli::install`].
    #[must_use]
    pub fn install_with(&self, plugin: &str, edit: impl FnOnce(String) -> String) -> Option<()> {
        let component = require(parts::plugin(plugin))?;
        let copied = self.folder().join(format!("{plugin}.wasm"));
        let manifest = parts::root().join("plugins").join(plugin).join("wasmill.toml");
        let done = std::fs::copy(component, &copied)
            .and_then(|_| std::fs::read_to_string(manifest))
            .and_then(|manifest| std::fs::write(self.folder().join("wasmill.toml"), edit(manifest)));
        assert!(done.is_ok(), "{plugin}: {done:?}");
        let copied = copied.display().to_string();
        self.run(&["plugin", "sign", &copied]).expect_code(0);
        self.run(&["plugin", "install", &copied]).expect_code(0);
        Some(())
    }

    /// Adds rows to the home's permissions.
    ///
    /// # Panics
    /// When the file can't be written.
    pub fn allow(&self, rows: &str) {
        let path = self.home().join("permissions.toml");
        let written = std::fs::read_to_string(&path).and_then(|old| std::fs::write(&path, format!("{old}\n{rows}")));
        assert!(written.is_ok(), "{written:?}");
    }

    /// Asks `wasmill status` until it says this.
    ///
    /// # Panics
    /// When it doesn't for too long, with what it says.
    pub fn status_until(&self, mut says: impl FnMut(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let said = until(PATIENCE, || {
            last = self.run(&["status"]).json();
            says(&last)
        });
        assert!(said, "{last:#}");
        last
    }
}
