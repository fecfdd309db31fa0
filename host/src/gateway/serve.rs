//! Listening on the home's socket.

use std::fs::{File, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::Router;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use tokio::net::{UnixListener, UnixStream};

use crate::problem::{Problem, ProblemKind};

/// The home's socket. From the moment that it is bound commands wait for the host instead of working by themselves, and
/// no second host starts on the home.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    file: SocketFile,
    // Given back last: whoever has it may remove the socket's file.
    _lock: Flock<File>,
}

/// The socket's file, removed with this value.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already where somebody cleaned up: nothing to do then.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Listens on a Unix socket; who connects is answered as soon as the router is served.
    ///
    /// # Errors
    /// `host.running` where another process listens there; `host.socket` where the system refuses.
    pub async fn bind(socket: &Path) -> Result<Self, Problem> {
        let lock = lock(socket)?;
        let listener = listen(socket).await?;
        Ok(Self { listener, file: SocketFile(socket.to_owned()), _lock: lock })
    }

    /// Serves the router until `stop` is done, then finishes what is being answered and removes the socket.
    ///
    /// # Errors
    /// `host.socket` where the system refuses.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), Problem> {
        let served = axum::serve(self.listener, router).with_graceful_shutdown(stop).await;
        served.map_err(|error| refused(&self.file.0, &error))
    }
}

/// Decides between hosts that start at the same moment. The system gives it back when the process ends, however it ends.
fn lock(socket: &Path) -> Result<Flock<File>, Problem> {
    let path = socket.with_extension("lock");
    let file = File::options().create(true).write(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(|error| Problem::io(&path, &error))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
        Errno::EWOULDBLOCK => running(socket),
        error => Problem::io(&path, &error.into()),
    })
}

fn running(socket: &Path) -> Problem {
    let message = format!("a host runs on this home already and listens at `{}`", socket.display());
    Problem::new(ProblemKind::Conflict, "host.running", message, "Stop it first, or use another --home.")
}

async fn listen(socket: &Path) -> Result<UnixListener, Problem> {
    if UnixStream::connect(socket).await.is_ok() {
        return Err(running(socket));
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(socket, &error)),
        // What a host that was killed left behind.
        _ => {}
    }
    let listener = UnixListener::bind(socket).map_err(|error| refused(socket, &error))?;
    // The home is for its owner only, so nobody else could have connected in between.
    std::fs::set_permissions(socket, Permissions::from_mode(0o600)).map_err(|error| refused(socket, &error))?;
    Ok(listener)
}

fn refused(socket: &Path, error: &io::Error) -> Problem {
    let message = format!("can't listen at `{}`: {error}", socket.display());
    let next = "A socket's path has at most 107 bytes: use a --home with a shorter path, where you may write.";
    Problem::new(ProblemKind::Failed, "host.socket", message, next)
}
