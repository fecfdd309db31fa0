//! Binding TCP ports that an admin has named.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::problem::{Problem, ProblemKind};

/// Binds the port that `SECTION.listen` of `host.toml` names; 0 lets the system choose one. From this moment connections
/// wait. Says where it listens, and warns with `risk` where that is more than this machine.
///
/// # Errors
/// `SECTION.listen` where the system refuses.
pub(crate) async fn bind(section: &str, address: SocketAddr, risk: &str) -> Result<(TcpListener, SocketAddr), Problem> {
    let refused = |error: std::io::Error| {
        let message = format!("can't listen at {address}: {error}");
        let next = format!("Set another `{section}.listen` in host.toml.");
        Problem::new(ProblemKind::Failed, &format!("{section}.listen"), message, next)
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "{risk}");
    }
    Ok((listener, address))
}
