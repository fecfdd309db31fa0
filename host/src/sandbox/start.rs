//! Running a program in the sandbox for as long as somebody holds it.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::sync::oneshot;

use super::{Sandbox, SandboxError, SandboxLimits, View};

/// A program at work in the sandbox.
#[derive(Debug)]
pub struct Inside {
    /// Its standard input.
    pub stdin: pipe::Sender,
    /// Its standard output.
    pub stdout: pipe::Receiver,
    /// Its standard error. Somebody must read it, or the program waits.
    pub stderr: pipe::Receiver,
    /// Dropping it kills everything inside.
    pub hold: Hold,
}

/// Whoever drops this ends everything in one sandbox.
#[derive(Debug)]
pub struct Hold {
    _open: oneshot::Sender<Infallible>,
}

type Pipes = [OwnedFd; 3];

impl Sandbox {
    /// Starts a program, with its arguments, inside `view`, within those of `limits` that count for a process: the wall
    /// clock and the amount of output are for whoever holds it.
    ///
    /// # Errors
    /// [`SandboxError::Io`] where it can't be started. A program that ends at once is no error here: its pipes close.
    pub async fn start(&self, view: &View, program: &[String], limits: &SandboxLimits) -> Result<Inside, SandboxError> {
        let mut command = self.command(view, "exec \"$@\"", limits);
        command.arg("sh").args(program).stdin(Stdio::piped());
        let (open, closed) = oneshot::channel();
        let (started, pipes) = oneshot::channel();
        // As for a script: the sandbox dies with the thread that started it.
        std::thread::Builder::new().name("sandbox".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(hold(command, started, closed)),
                // Nobody listens where the caller gave up.
                Err(error) => drop(started.send(Err(error))),
            }
        })?;
        let pipes = pipes.await.map_err(|_| std::io::Error::other("the supervising thread ended early"))?;
        let [stdin, stdout, stderr] = pipes?;
        Ok(Inside {
            stdin: pipe::Sender::from_owned_fd(stdin)?,
            stdout: pipe::Receiver::from_owned_fd(stdout)?,
            stderr: pipe::Receiver::from_owned_fd(stderr)?,
            hold: Hold { _open: open },
        })
    }
}

/// Starts, gives the pipes away, and waits until it ends or nobody holds it any more.
async fn hold(
    mut command: Command,
    started: oneshot::Sender<std::io::Result<Pipes>>,
    closed: oneshot::Receiver<Infallible>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return drop(started.send(Err(error))),
    };
    let pipes = match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
        (Some(stdin), Some(stdout), Some(stderr)) => {
            let owned = || Ok([stdin.into_owned_fd()?, stdout.into_owned_fd()?, stderr.into_owned_fd()?]);
            owned()
        }
        _ => Err(std::io::Error::other("the sandbox has no pipes")),
    };
    if started.send(pipes).is_ok() {
        tokio::select! {
            _ = child.wait() => {}
            _ = closed => {}
        }
    }
    // Waits for its end as well, so that nothing of it is left; one that has ended can't be killed, and need not be.
    let _ = child.kill().await;
}
