//! TCP connections from whoever comes: never many, never for long, and none that only waits.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::slow::Hurried;
use super::stalled::Moving;
use super::tls::{Peer, Tls};

/// How long the head of a request may take, counted from the end of the one before; so long may a connection idle.
const HEAD_MAX: Duration = Duration::from_secs(15);
/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Largest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How connections of a port are served.
#[derive(Clone)]
pub(crate) struct Terms {
    /// Most connections at once; more wait in the system's queue.
    pub connections: usize,
    /// How long one may last, so that none is held for ever by somebody who has gone. Who listens connects again.
    pub lifetime: Duration,
    /// Encryption; none: plain.
    pub tls: Option<Arc<Tls>>,
}

/// Serves a router to whoever connects, until this is dropped.
pub(crate) async fn serve(mut listener: TcpListener, terms: Terms, router: Router) {
    let places = Arc::new(Semaphore::new(terms.connections));
    let mut connections = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        // Waits out what the system refuses, such as too many open files.
        let (stream, _) = Listener::accept(&mut listener).await;
        while connections.try_join_next().is_some() {}
        let (terms, router) = (terms.clone(), router.clone());
        connections.spawn(async move {
            // Where it ends before, by either side, there is nobody left to tell.
            let _ = timeout(terms.lifetime, one(stream, place, terms.tls, router)).await;
        });
    }
}

async fn one(stream: TcpStream, place: OwnedSemaphorePermit, tls: Option<Arc<Tls>>, router: Router) {
    let Some(tls) = tls else { return http(Moving::new(stream, place), Peer::default(), router).await };
    match timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
        Ok(Ok((stream, peer))) => http(Moving::new(stream, place), peer, router).await,
        Ok(Err(error)) => tracing::debug!("a connection was not encrypted: {error}"),
        Err(_) => tracing::debug!("a connection's handshake took too long"),
    }
}

async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, peer: Peer, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(|body| Body::new(Hurried::new(body)));
        request.extensions_mut().insert(peer.clone());
        let router = router.clone();
        async move {
            let Ok(answer) = router.oneshot(request).await;
            Ok::<_, Infallible>(answer)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!("a connection ended early: {error}");
    }
}
