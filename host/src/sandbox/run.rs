//! Running one script in the sandbox, and stopping it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::oneshot;

use super::{Sandbox, SandboxError, SandboxLimits, View};

/// How long the pipes may stay open after the sandbox ended: nobody inside is left who could write.
const DRAIN: Duration = Duration::from_secs(2);

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal from outside.
    Killed,
    /// The wall clock ran out.
    WallClock,
    /// It wrote more than it may.
    Output,
}

/// What is left of a script that ran.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// Standard output, up to the limit.
    pub stdout: Vec<u8>,
    /// Standard error, up to the limit.
    pub stderr: Vec<u8>,
    /// From start to end.
    pub elapsed: Duration,
}

impl Sandbox {
    /// A shell script inside `view`, within `limits`, its output piped; not started.
    pub(super) fn command(&self, view: &View, script: &str, limits: &SandboxLimits) -> Command {
        let mut command = Command::new(&self.bwrap);
        command
            .args(view.arguments())
            .args(["--", "/bin/sh", "-c"])
            .arg(limits.as_shell() + script)
            // bubblewrap clears the environment for what it runs; this clears its own, too.
            .env_clear()
            .envs(view.secrets())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    /// Runs a shell script inside `view`, within `limits`. Dropping the future kills everything inside.
    ///
    /// # Errors
    /// [`SandboxError::Io`] where it can't be started or waited for. A script that fails is no error here.
    pub async fn run(&self, view: &View, script: &str, limits: &SandboxLimits) -> Result<Finished, SandboxError> {
        let mut command = self.command(view, script, limits);
        command.stdin(Stdio::null());
        let (wall, output_bytes) = (limits.wall(), limits.output_bytes);
        let (give_up, given_up) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        // "Die with the parent" means the thread that started it. Threads of a runtime come and go; this one lives
        // exactly as long as the sandbox.
        std::thread::Builder::new().name("sandbox".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let finished = runtime.and_then(|r| r.block_on(supervise(command, wall, output_bytes, given_up)));
            // Nobody listens where the caller gave up.
            let _ = answer.send(finished);
        })?;
        let finished = answered.await.map_err(|_| std::io::Error::other("the supervising thread ended early"))?;
        drop(give_up);
        Ok(finished?)
    }
}

/// Reads both streams and waits, until it ends, has to be ended, or nobody wants it any more.
async fn supervise(
    mut command: Command,
    wall: Duration,
    output_bytes: usize,
    given_up: oneshot::Receiver<()>,
) -> std::io::Result<Finished> {
    let started = Instant::now();
    let mut child = command.spawn()?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(std::io::Error::other("the sandbox has no pipes"));
    };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (mut early, mut read_all) = (None, false);
    let status = {
        // Each stream has half, so that neither can crowd out the other.
        let mut reading = std::pin::pin!(async {
            tokio::try_join!(
                read_up_to(out, &mut stdout, output_bytes / 2),
                read_up_to(err, &mut stderr, output_bytes / 2)
            )
        });
        let mut sleep = std::pin::pin!(tokio::time::sleep(wall));
        let mut given_up = std::pin::pin!(given_up);
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                read = &mut reading, if !read_all => {
                    read_all = true;
                    if read.is_err() {
                        early = Some(Ended::Output);
                        child.start_kill()?;
                    }
                }
                () = &mut sleep, if early.is_none() => {
                    early = Some(Ended::WallClock);
                    child.start_kill()?;
                }
                _ = &mut given_up, if early.is_none() => {
                    early = Some(Ended::Killed);
                    child.start_kill()?;
                }
            }
        };
        if !read_all && tokio::time::timeout(DRAIN, &mut reading).await.is_ok_and(|read| read.is_err()) {
            early = early.or(Some(Ended::Output));
        }
        status
    };
    let ended = early.unwrap_or_else(|| status.code().map_or(Ended::Killed, Ended::Exited));
    Ok(Finished { ended, stdout, stderr, elapsed: started.elapsed() })
}

/// The stream gives more than it may.
struct Flood;

/// Reads to the end. A stream that can't be read counts as ended.
async fn read_up_to(mut stream: impl AsyncRead + Unpin, into: &mut Vec<u8>, max: usize) -> Result<(), Flood> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return Ok(());
        }
        let room = max - into.len();
        into.extend_from_slice(&buffer[..read.min(room)]);
        if read > room {
            return Err(Flood);
        }
    }
}
