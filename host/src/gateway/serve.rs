//! Listening on the home's socket.

use std::fs::Permissions;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::Router;
use tokio::net::{UnixListener, UnixStream};

use crate::problem::{Problem, ProblemKind};

/// Serves the router on a Unix socket until `stop` is done, then finishes what is being answered and removes the socket.
///
/// # Errors
/// `host.running` where another process listens there; `host.socket` where the system refuses.
pub async fn serve(
    router: Router,
    socket: &Path,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Problem> {
    let listener = listen(socket).await?;
    let served = axum::serve(listener, router).with_graceful_shutdown(stop).await;
    // Gone already where somebody cleaned up: nothing to do then.
    let _ = std::fs::remove_file(socket);
    served.map_err(|error| refused(socket, &error))
}

async fn listen(socket: &Path) -> Result<UnixListener, Problem> {
    if UnixStream::connect(socket).await.is_ok() {
        let message = format!("a host runs on this home already and listens at `{}`", socket.display());
        return Err(Problem::new(
            ProblemKind::Conflict,
            "host.running",
            message,
            "Stop it first, or use another --home.",
        ));
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
