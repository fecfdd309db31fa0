//! TCP ports that an admin has named.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use super::connection::{Protocol, Terms, serve};
use super::tls::Tls;
use crate::home::{Home, TlsConfig};
use crate::problem::{Problem, ProblemKind};

/// A bound port. From this moment connections wait; they are answered once it is served.
pub(crate) struct Port {
    listener: TcpListener,
    address: SocketAddr,
    protocol: Protocol,
    tls: Option<Arc<Tls>>,
}

impl Port {
    /// Binds the port that `SECTION.listen` of `host.toml` names; 0 lets the system choose one. Warns with `risk` where it
    /// is plain and reached from more than this machine.
    ///
    /// # Errors
    /// `SECTION.listen` where the system refuses; as [`Tls::open`].
    pub async fn bind(
        home: &Home,
        section: &str,
        protocol: Protocol,
        address: SocketAddr,
        tls: Option<&TlsConfig>,
        risk: &str,
    ) -> Result<Self, Problem> {
        let tls = tls.map(|config| Tls::open(home, section, protocol, config)).transpose()?.map(Arc::new);
        let refused = |error: std::io::Error| {
            let message = format!("can't listen at {address}: {error}");
            let next = format!("Set another `{section}.listen` in host.toml.");
            Problem::new(ProblemKind::Failed, &format!("{section}.listen"), message, next)
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        if tls.is_none() && !address.ip().is_loopback() {
            tracing::warn!(%address, "{risk}");
        }
        Ok(Self { listener, address, protocol, tls })
    }

    /// Where it is found, without a path: `https://127.0.0.1:7410`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until this is dropped: at most `connections` at once, none for longer than `lifetime`.
    pub async fn serve(self, connections: usize, lifetime: Duration, router: Router) {
        let terms = Terms { connections, lifetime, protocol: self.protocol, tls: self.tls };
        serve(self.listener, terms, router).await;
    }
}
