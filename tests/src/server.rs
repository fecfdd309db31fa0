//! A server that a test starts and that never outlives it, not even when the test is killed.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// The shell becomes the server, and leaves a reader of our pipe behind: when the pipe closes, because
/// the test dropped it or because the kernel closed it with the test's process, the reader sends the
/// server its signal. `$0` is the signal, the rest the server's command line.
const GUARD: &str = r#"
exec 3<&0 0</dev/null
( read -r _ <&3; kill -s "$0" "$$" ) >/dev/null 2>&1 &
exec "$@" 3<&-
"#;

/// A running server process. Dropping it stops the server and waits until it is gone.
#[derive(Debug)]
pub struct Server {
    process: Child,
}

/// What to run.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The program and its arguments.
    pub command: &'a [String],
    /// Environment variables on top of the test's own.
    pub env: &'a [(&'a str, String)],
    /// Where standard output and error go.
    pub log: &'a Path,
    /// The signal that asks for a clean end, e.g. `INT`.
    pub stop_signal: &'a str,
    /// The user and group to run as, where a server refuses to be root.
    pub user: Option<(u32, u32)>,
}

impl Server {
    /// Starts the server; it is up when its own readiness says so, not when this returns.
    ///
    /// # Errors
    /// When the log cannot be created or the process cannot be started.
    pub fn start(launch: &Launch<'_>) -> io::Result<Self> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(launch.log)?;
        let mut shell = Command::new("sh");
        shell.args(["-c", GUARD, launch.stop_signal]).args(launch.command);
        shell.envs(launch.env.iter().map(|(name, value)| (name, value)));
        shell.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        if let Some((uid, gid)) = launch.user {
            shell.uid(uid).gid(gid);
        }
        // A group of its own, so that Ctrl-C at the terminal reaches the test only, which then stops
        // the server in its own order.
        Ok(Self { process: shell.process_group(0).spawn()? })
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How the server ended, when it has.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let ended = self.process.try_wait()?;
        if ended.is_some() {
            // The reader would otherwise signal a number that may belong to someone else by then.
            self.signal_group();
        }
        Ok(ended)
    }

    /// Kills the server at once, as a crash or a power cut would. Says how it ended.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        self.signal_group();
        self.process.wait().ok()
    }

    /// Sends the server a signal, and nothing else of its group.
    ///
    /// # Errors
    /// Where it has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill(Pid::from_raw(self.process.id().cast_signed()), signal)?)
    }

    /// Sends the server a signal that ends it, and waits up to `limit` until it has ended. Says how it did.
    pub fn end(&mut self, signal: Signal, limit: Duration) -> Option<ExitStatus> {
        self.signal(signal).ok()?;
        let mut how = None;
        until(limit, || {
            how = self.ended().ok().flatten();
            how.is_some()
        });
        how
    }

    /// Kills whatever is left of the server and its reader; nothing left is fine too.
    fn signal_group(&self) {
        let group = Pid::from_raw(self.process.id().cast_signed());
        let _ = killpg(group, Signal::SIGKILL);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.ended(), Ok(Some(_))) {
            return;
        }
        drop(self.process.stdin.take());
        if !until(Duration::from_secs(20), || matches!(self.process.try_wait(), Ok(Some(_)) | Err(_))) {
            self.kill();
        }
    }
}

/// Asks every 50 ms until the answer is yes; `false` when `limit` has passed before.
pub fn until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if ready() {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
}

/// A port on 127.0.0.1 that nothing listens on. Another process may take it before its user does,
/// so who starts a server on it must be ready to try again with another.
///
/// # Errors
/// When the operating system has no port to give.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not by `INT`: where the tests themselves run in the background of a shell, it is ignored, and a shell that
    /// inherits that can't trap it.
    fn launch(script: &str, folder: &Path) -> Server {
        let command = ["sh", "-c", script].map(str::to_owned);
        let log = folder.join("log");
        Server::start(&Launch { command: &command, env: &[], log: &log, stop_signal: "TERM", user: None }).unwrap()
    }

    fn log(folder: &Path) -> String {
        std::fs::read_to_string(folder.join("log")).unwrap_or_default()
    }

    #[test]
    fn a_dropped_server_has_got_its_signal_and_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let server = launch("trap 'echo stopped; exit 0' TERM; echo up; while :; do sleep 0.05; done", folder.path());
        assert!(until(Duration::from_secs(10), || log(folder.path()).contains("up")));
        drop(server);
        assert_eq!(log(folder.path()), "up\nstopped\n");
    }

    #[test]
    fn a_server_that_ends_by_itself_says_how() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = launch("exit 3", folder.path());
        assert!(until(Duration::from_secs(10), || server.ended().unwrap().is_some()));
        assert_eq!(server.ended().unwrap().and_then(|status| status.code()), Some(3));
    }

    #[test]
    fn a_server_that_is_ended_says_how_and_one_that_does_not_end_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut server =
            launch("trap 'exit 7' TERM; trap '' INT; echo up; while :; do sleep 0.05; done", folder.path());
        assert!(until(Duration::from_secs(10), || log(folder.path()).contains("up")));
        assert_eq!(server.end(Signal::SIGINT, Duration::from_millis(200)), None);
        let status = server.end(Signal::SIGTERM, Duration::from_secs(10)).unwrap();
        assert_eq!(status.code(), Some(7));
    }

    #[test]
    fn a_killed_server_gets_no_time_to_clean_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut server =
            launch("trap 'echo stopped; exit 0' TERM; echo up; while :; do sleep 0.05; done", folder.path());
        assert!(until(Duration::from_secs(10), || log(folder.path()).contains("up")));
        server.kill();
        assert_eq!(log(folder.path()), "up\n");
    }
}
