//! The port that Prometheus reads: `/metrics`, `/healthz`, and nothing else.
//!
//! Whoever can reach it needs no key, so it shows numbers and names, and takes nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::connection::Bounded;
use crate::host::Host;
use crate::problem::{Problem, ProblemKind};
use crate::watch::{Form, page};

/// A bound port. From this moment connections wait; they are answered once it is served.
#[derive(Debug)]
pub struct MetricsPort {
    listener: TcpListener,
    address: SocketAddr,
}

impl MetricsPort {
    /// Binds a port; 0 lets the system choose one.
    ///
    /// # Errors
    /// `metrics.listen` where the system refuses.
    pub async fn bind(address: SocketAddr) -> Result<Self, Problem> {
        let refused = |error: std::io::Error| {
            let message = format!("can't listen at {address} for metrics: {error}");
            Problem::new(ProblemKind::Failed, "metrics.listen", message, "Set another `metrics.listen` in host.toml.")
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "metrics are shown to whoever can reach this address");
        }
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until this is dropped.
    pub async fn serve(self, host: Arc<Host>) {
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(async || "ok\n"))
            .fallback(async || (StatusCode::NOT_FOUND, "there are /metrics and /healthz\n"))
            .with_state(host);
        if let Err(error) = axum::serve(Bounded::new(self.listener), router).await {
            tracing::error!(address = %self.address, "metrics are not served any more: {error}");
        }
    }
}

async fn metrics(State(host): State<Arc<Host>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = Form::of_accept(accept);
    match page(host.figures().await, form) {
        Ok(text) => ([(header::CONTENT_TYPE, form.content_type())], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
