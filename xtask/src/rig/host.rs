//! A running host: `wasmill up` in the background, stopped when it is no longer needed, whatever happens.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use serde_json::Value;

use super::interrupt::pause;
use super::wasmill::Wasmill;

/// How long a host may take to come up: at the first start it compiles its plugins.
const START_MAX: Duration = Duration::from_secs(120);
/// How long it may take to finish what it is doing.
const STOP_MAX: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Lines of its log that an error shows.
const LOG_LINES: usize = 12;

/// A host at work.
#[derive(Debug)]
pub struct Host {
    child: Child,
    log: PathBuf,
}

/// Where the forge is, out of the host's log: for showing progress only.
#[derive(Debug, Default)]
pub struct Stages {
    /// Bytes of the log that were read.
    read: usize,
}

impl Host {
    /// Starts the host of a home and waits until it is up.
    ///
    /// # Errors
    /// When it does not come up, with the end of its log.
    pub fn start(wasmill: &Wasmill) -> Result<Self> {
        let log = wasmill.home().join("host.log");
        let greeting = wasmill.home().join("host.up");
        let appended = File::options().create(true).append(true).open(&log).context("open the host's log")?;
        let mut up = wasmill.command(&["up", "--output", "json"]);
        up.stdin(Stdio::null()).stdout(File::create(&greeting)?).stderr(appended);
        // Ctrl-C is for this process, which then stops the host in its own time.
        let child = up.process_group(0).spawn().context("start the host")?;
        let mut host = Self { child, log };
        let began = Instant::now();
        while !fs::read(&greeting)?.ends_with(b"\n") {
            host.check()?;
            if began.elapsed() > START_MAX {
                bail!("the host does not come up\n{}", host.last_words());
            }
            pause(LOOK)?;
        }
        Ok(host)
    }

    /// The file that it logs to, one JSON object a line.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// # Errors
    /// When it is no longer running, with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the host ended with {status}\n{}", self.last_words()),
        }
    }

    /// The end of its log, for a person.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n  ");
        format!("its log, {}, ends with\n  {last}", self.log.display())
    }

    /// Records that an agent has committed since this host started.
    ///
    /// # Errors
    /// When the host does not answer, or has no such agent.
    pub fn committed(wasmill: &Wasmill, agent: &str) -> Result<u64> {
        #[derive(Deserialize)]
        struct Status {
            agents: Vec<Agent>,
        }
        #[derive(Deserialize)]
        struct Agent {
            agent: String,
            records: u64,
        }
        let status: Status = wasmill.ask(&["status"])?;
        let found = status.agents.iter().find(|a| a.agent.split('@').next() == Some(agent));
        found.map(|agent| agent.records).with_context(|| format!("the agent {agent} is not at work; see its status"))
    }

    /// Stops it and waits until it has stopped.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM)?;
        let told = Instant::now();
        while self.child.try_wait()?.is_none() {
            if told.elapsed() > STOP_MAX {
                self.child.kill()?;
                self.child.wait()?;
            }
            // Not `pause`: a second Ctrl-C must not leave the host behind.
            std::thread::sleep(LOOK);
        }
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // On the way out of an error there is nobody left to tell.
        let _ = self.end();
    }
}

impl Stages {
    /// The last stage that was passed since the last look, and the tool that it is about.
    pub fn news(&mut self, host: &Host) -> Option<(String, String)> {
        let text = fs::read(&host.log).ok()?;
        let new = text.get(self.read..)?;
        let whole = new.iter().rposition(|&byte| byte == b'\n')? + 1;
        self.read += whole;
        let lines = new[..whole].split(|&byte| byte == b'\n').rev();
        lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).find_map(|event| {
            let text = |name: &str| event[name].as_str().map(str::to_owned);
            Some((text("tool")?, text("stage")?))
        })
    }
}
