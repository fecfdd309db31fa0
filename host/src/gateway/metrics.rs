//! The port that Prometheus reads: `/metrics`, `/healthz`, and nothing else.
//!
//! Whoever can reach it needs no key, so it shows numbers and names, and takes nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::connection::Bounded;
use super::port::bind;
use crate::host::Host;
use crate::problem::Problem;
use crate::watch::{Form, page};

/// Most connections; others wait in the system's queue.
const CONNECTIONS_MAX: usize = 32;
/// How long one may last. Who asks again connects again.
const LIFETIME_MAX: Duration = Duration::from_secs(30);

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
        let risk = "metrics are shown to whoever can reach this address";
        let (listener, address) = bind("metrics", address, risk).await?;
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
        if let Err(error) = axum::serve(Bounded::new(self.listener, CONNECTIONS_MAX, LIFETIME_MAX), router).await {
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
