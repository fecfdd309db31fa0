//! One host of a run: its home, its network and its process.

use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;

use super::net::Space;
use crate::binary::{Cli, wasmill};
use crate::server::{Launch, Server, until};

/// How long a host may take until it listens.
const UP_MAX: Duration = Duration::from_secs(60);

/// How long a host may take to stop when it is told to.
const STOP_MAX: Duration = Duration::from_secs(60);

/// A host at work. Dropping it kills it.
pub struct Host {
    /// Its name, by which the broker knows it as well.
    pub name: String,
    // Dropped in this order: the process ends before its network and its home go.
    server: Option<Server>,
    space: Option<Space>,
    cli: Cli,
}

impl Host {
    /// Starts a host on a home.
    ///
    /// # Errors
    /// Where the process can't be started.
    pub fn start(name: String, cli: Cli, space: Option<Space>) -> Result<Self> {
        let mut host = Self { name, server: None, space, cli };
        host.start_again()?;
        Ok(host)
    }

    /// Commands on its home.
    #[must_use]
    pub fn cli(&self) -> &Cli {
        &self.cli
    }

    /// Waits until it answers commands.
    ///
    /// # Panics
    /// When it doesn't, with the end of its log.
    pub fn wait_until_up(&self) {
        let socket = self.cli.home().join("host.sock");
        assert!(until(UP_MAX, || UnixStream::connect(&socket).is_ok()), "it does not listen:\n{}", self.log_end());
        // It listens before it is up, and answers afterwards.
        self.cli.run(&["status"]).expect_code(0);
    }

    /// Starts its process once more.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn start_again(&mut self) -> Result<()> {
        let mut command = self.space.as_ref().map(Space::command).unwrap_or_default();
        let home = self.cli.home().display().to_string();
        let program = wasmill().display().to_string();
        command.extend([&program, "--home", &home, "--output", "json", "up"].map(str::to_owned));
        let log = self.log_file();
        // Should this process be killed, a frozen host must end as well.
        let launch = Launch { command: &command, env: &[], log: &log, stop_signal: "KILL", user: None };
        self.server = Some(Server::start(&launch).context("start a host")?);
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// Where it had ended before.
    pub fn kill(&mut self) -> Result<()> {
        let mut server = self.server.take().context("it does not run")?;
        let status = server.kill();
        let signal = status.and_then(|status| status.signal());
        ensure!(signal == Some(Signal::SIGKILL as i32), "it had ended before: {status:?}");
        Ok(())
    }

    /// Stops it as a service manager does.
    ///
    /// # Errors
    /// Where it does not end well within a minute.
    pub fn stop(&mut self) -> Result<()> {
        let mut server = self.server.take().context("it does not run")?;
        match server.end(Signal::SIGTERM, STOP_MAX) {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("it ended with {status}:\n{}", self.log_end()),
            None => bail!("it does not stop:\n{}", self.log_end()),
        }
    }

    /// Takes the processor away from it, or gives it back.
    ///
    /// # Errors
    /// Where it has ended.
    pub fn freeze(&self, is_frozen: bool) -> Result<()> {
        let server = self.server.as_ref().context("it does not run")?;
        server.signal(if is_frozen { Signal::SIGSTOP } else { Signal::SIGCONT }).context("send it a signal")
    }

    /// Cuts its network, or mends it.
    ///
    /// # Errors
    /// Where it has none of its own.
    pub fn cut(&self, is_cut: bool) -> Result<()> {
        let space = self.space.as_ref().context("it has no network of its own")?;
        if is_cut { space.cut() } else { space.mend() }
    }

    /// Checks that it has not ended.
    ///
    /// # Errors
    /// With the end of its log.
    pub fn expect_alive(&mut self) -> Result<()> {
        let Some(server) = &mut self.server else { bail!("{} does not run", self.name) };
        match server.ended()? {
            None => Ok(()),
            Some(status) => bail!("{} ended by itself with {status}:\n{}", self.name, self.log_end()),
        }
    }

    /// Everything that it has written.
    pub fn log(&self) -> String {
        std::fs::read(self.log_file()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Copies its home and log to where they stay; says where.
    ///
    /// # Errors
    /// Where that fails.
    pub fn keep(&self) -> Result<PathBuf> {
        Ok(self.cli.keep()?)
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn log_file(&self) -> PathBuf {
        self.cli.folder().join("up.log")
    }
}
