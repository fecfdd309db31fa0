//! TCP connections from whoever comes: never many, never for long, and none that only waits.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
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
const HEAD_BYTES_MAX: u32 = 64 * 1024;
/// Most calls at once of one connection of gRPC.
const STREAMS_MAX: u32 = 64;
/// How often the other end of one is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long it may take to say so.
const PONG_MAX: Duration = Duration::from_secs(20);

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1.
    Http,
    /// gRPC, which is HTTP/2.
    Grpc,
}

impl Protocol {
    /// Its name where TLS agrees on it (ALPN), with its length before it.
    pub fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http => b"\x08http/1.1",
            Self::Grpc => b"\x02h2",
        }
    }
}

/// How connections of a port are served.
#[derive(Clone)]
pub(crate) struct Terms {
    /// Most connections at once; more wait in the system's queue.
    pub connections: usize,
    /// How long one may last, so that none is held for ever by somebody who has gone. Who listens connects again.
    pub lifetime: Duration,
    /// What is spoken.
    pub protocol: Protocol,
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
            let _ = timeout(terms.lifetime, one(stream, place, &terms, router)).await;
        });
    }
}

async fn one(stream: TcpStream, place: OwnedSemaphorePermit, terms: &Terms, router: Router) {
    let Some(tls) = &terms.tls else {
        return speak(terms.protocol, Moving::new(stream, place), Peer::default(), router).await;
    };
    match timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
        Ok(Ok((stream, peer))) => speak(terms.protocol, Moving::new(stream, place), peer, router).await,
        Ok(Err(error)) => tracing::debug!("a connection was not encrypted: {error}"),
        Err(_) => tracing::debug!("a connection's handshake took too long"),
    }
}

async fn speak<S>(protocol: Protocol, stream: S, peer: Peer, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let served = match protocol {
        Protocol::Http => http(stream, peer, router).await,
        Protocol::Grpc => grpc(stream, peer, router).await,
    };
    if let Err(error) = served {
        tracing::debug!("a connection ended early: {error}");
    }
}

async fn http<S>(stream: S, peer: Peer, router: Router) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        answer(request.map(|body| Body::new(Hurried::new(body))), peer.clone(), router.clone())
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX as usize)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await
}

/// A stream of requests may be silent for long: whether its client is still there, pings say.
async fn grpc<S>(stream: S, peer: Peer, router: Router) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        answer(request.map(Body::new), peer.clone(), router.clone())
    });
    http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(PING_EVERY))
        .keep_alive_timeout(PONG_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer(mut request: Request, peer: Peer, router: Router) -> Result<Response, Infallible> {
    request.extensions_mut().insert(peer);
    router.oneshot(request).await
}
