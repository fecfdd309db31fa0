//! The port that Prometheus reads: `/metrics`, `/healthz`, and nothing else.
//!
//! Whoever can reach it needs no key, so it shows numbers and names, and takes nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::connection::Protocol;
use super::port::Port;
use crate::home::{Home, MetricsConfig};
use crate::host::Host;
use crate::problem::Problem;
use crate::watch::{Form, page};

/// Most connections; others wait in the system's queue.
const CONNECTIONS_MAX: usize = 32;
/// How long one may last. Who asks again connects again.
const LIFETIME_MAX: Duration = Duration::from_secs(30);

/// The port of metrics.
pub struct MetricsPort {
    port: Port,
}

impl MetricsPort {
    /// Binds the port that a home's settings name; none where they name none.
    ///
    /// # Errors
    /// `metrics.listen` where the system refuses; `tls.files`.
    pub async fn bind(home: &Home, config: &MetricsConfig) -> Result<Option<Self>, Problem> {
        let Some(address) = config.listen else { return Ok(None) };
        let risk = "metrics are shown to whoever can reach this address";
        let port = Port::bind(home, "metrics", Protocol::Http, address, config.tls.as_ref(), risk).await?;
        Ok(Some(Self { port }))
    }

    /// Where metrics are found.
    pub fn url(&self) -> String {
        format!("{}/metrics", self.port.url())
    }

    /// Serves until this is dropped.
    pub async fn serve(self, host: Arc<Host>) {
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(async || "ok\n"))
            .fallback(async || (StatusCode::NOT_FOUND, "there are /metrics and /healthz\n"))
            .with_state(host);
        self.port.serve(CONNECTIONS_MAX, LIFETIME_MAX, router).await;
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
