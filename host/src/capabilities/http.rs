//! `wasi:http`: requests to the outside, where granted.
//!
//! Each request is held against the grant by host and method. A host *name* must lead to public addresses: a name whose
//! owner points it at this machine or its network gets nowhere; whoever wants a local service grants its address.
//! Redirects come back to the guest, which must ask again. `${secret:NAME}` in a header becomes the secret's value
//! here, so the guest never holds it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Limited};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody, WasiHttpHooks};

use super::context::CallContext;
use super::errors;
use super::guest::{Identity, check, count};
use super::http_journal::{journalled, shadowed};
use super::secret_text::{fill, names_secret};
use super::services::Services;
use crate::permissions::{Action, Rate};
use crate::problem::Problem;
use crate::runs::Journal;
use crate::telemetry::{About, Span, SpanKind};

/// Largest request body, bytes.
const REQUEST_SIZE_MAX: usize = 8 * 1024 * 1024;
/// Largest response body, bytes.
const RESPONSE_SIZE_MAX: usize = 32 * 1024 * 1024;

/// The client for guests' requests: follows no redirect, uses no proxy, and resolves names to public addresses only.
///
/// # Errors
/// Where the machine's TLS can't be used.
pub fn guest_http_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(PublicOnly)
        .user_agent(concat!("wasmill/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The header under which a server knows a repeated request (IETF draft `idempotency-key-header`).
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Stands between a guest and its requests.
pub struct HttpGate {
    identity: Arc<Identity>,
    services: Arc<Services>,
    deadline: Instant,
    journal: Option<Arc<Journal>>,
    /// Key of the call at hand, below which each request has its own.
    key: Option<Arc<str>>,
    /// The span that the requests are below.
    traceparent: Arc<str>,
    requests: u64,
}

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), HttpError>> + Send>), HttpError>;

impl HttpGate {
    /// The gate of one instance.
    pub fn new(
        identity: Arc<Identity>,
        services: Arc<Services>,
        context: &CallContext,
        journal: Option<Arc<Journal>>,
    ) -> Self {
        let (deadline, key) = (context.deadline, context.idempotency_key.clone());
        let traceparent = context.traceparent.clone();
        Self { identity, services, deadline, journal, key, traceparent, requests: 0 }
    }

    /// A new call begins.
    pub fn begin_call(&mut self, context: &CallContext) {
        self.deadline = context.deadline;
        self.key = context.idempotency_key.clone();
        self.traceparent = context.traceparent.clone();
        self.requests = 0;
    }

    /// The next request on its way.
    fn sending(&mut self, options: Option<RequestOptions>) -> Sending {
        self.requests += 1;
        let key = self.key.as_ref().map(|key| format!("{key}-h{}", self.requests).into());
        // Work that can be repeated has its whole time for each request.
        let own = Instant::now() + self.identity.grant.limits().deadline();
        let deadline = if self.journal.is_some() { self.deadline.min(own) } else { self.deadline };
        let door = Door { identity: self.identity.clone(), services: self.services.clone() };
        let traceparent = self.traceparent.clone();
        Sending { door, key, traceparent, deadline, first_byte: options.and_then(|o| o.first_byte_timeout) }
    }
}

/// A request on its way.
pub(super) struct Sending {
    door: Door,
    key: Option<Arc<str>>,
    traceparent: Arc<str>,
    deadline: Instant,
    first_byte: Option<Duration>,
}

impl Sending {
    /// The same under another key.
    pub(super) fn with_key(self, key: Arc<str>) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Checks the request, and sends it.
    pub(super) async fn send(
        self,
        parts: http::request::Parts,
        body: bytes::Bytes,
    ) -> Result<http::Response<reqwest::Body>, HttpError> {
        let mut span = self.door.span(&self.traceparent, &parts);
        let answer = self.sent(&span, parts, body).await;
        match &answer {
            Ok(response) => span.set("http.response.status_code", i64::from(response.status().as_u16())),
            Err(error) => span.fail(reason(error)),
        }
        answer
    }

    /// Checks the request and puts secrets into it.
    pub(super) fn admit(&self, request: &mut http::request::Parts) -> Result<(), HttpError> {
        self.door.admit(request)
    }

    async fn sent(
        self,
        span: &Span,
        mut parts: http::request::Parts,
        body: bytes::Bytes,
    ) -> Result<http::Response<reqwest::Body>, HttpError> {
        self.admit(&mut parts)?;
        self.door.services.leave().map_err(said_no)?;
        if let Some(traceparent) = span.recorded().and_then(|own| HeaderValue::from_str(&own).ok()) {
            parts.headers.entry("traceparent").or_insert(traceparent);
        }
        if let Some(key) = self.key.as_deref().and_then(|key| HeaderValue::from_str(key).ok()) {
            // Whoever gives a key of its own knows better what is the same.
            parts.headers.entry(IDEMPOTENCY_KEY).or_insert(key);
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let wanted = self.first_byte.unwrap_or(left);
        let request = reqwest::Request::try_from(http::Request::from_parts(parts, body))
            .map_err(|_| HttpError::HttpRequestUriInvalid)?;
        let response = tokio::time::timeout(left.min(wanted), self.door.services.http.execute(request));
        let response = response.await.map_err(|_| HttpError::HttpResponseTimeout)?.map_err(|e| sent(&e))?;
        Ok(response.into())
    }
}

/// The whole body of a request.
pub(super) async fn read_request(body: WasiBody) -> Result<bytes::Bytes, HttpError> {
    let body = Limited::new(body, REQUEST_SIZE_MAX).collect().await;
    Ok(body.map_err(|_| HttpError::HttpRequestBodySize(Some(REQUEST_SIZE_MAX as u64)))?.to_bytes())
}

/// What stands behind the gate: who sends, and with what.
struct Door {
    identity: Arc<Identity>,
    services: Arc<Services>,
}

impl Door {
    /// A request on its way, by OpenTelemetry's conventions for HTTP clients. Its path and query are the guest's own affair.
    fn span(&self, traceparent: &Arc<str>, request: &http::request::Parts) -> Span {
        self.services.telemetry.below(traceparent, || {
            About::new(request.method.as_str().to_owned(), SpanKind::Client)
                .with("http.request.method", request.method.as_str().to_owned())
                .with("server.address", destination(&request.uri).unwrap_or_default())
        })
    }

    /// Checks the request and puts secrets into it.
    fn admit(&self, request: &mut http::request::Parts) -> Result<(), HttpError> {
        let authority = request.uri.authority().ok_or(HttpError::HttpRequestUriInvalid)?;
        if authority.as_str().contains('@') {
            return Err(HttpError::HttpRequestUriInvalid);
        }
        let host = destination(&request.uri).ok_or(HttpError::HttpRequestUriInvalid)?;
        let action = Action::Http { host: &host, method: request.method.as_str() };
        check(&self.identity, &self.services, action).map_err(said_no)?;
        count(&self.identity, &self.services, Rate::HttpCalls, 1).map_err(said_no)?;
        let safe = request.uri.scheme_str() == Some("https") || is_loopback(authority.host());
        self.fill_secrets(&mut request.headers, safe)
    }

    fn fill_secrets(&self, headers: &mut HeaderMap, safe: bool) -> Result<(), HttpError> {
        for value in headers.values_mut() {
            let Ok(text) = value.to_str() else { continue };
            if !names_secret(text) {
                continue;
            }
            if !safe {
                return Err(HttpError::InternalError(Some("a secret is sent over https only".into())));
            }
            let filled = fill(text, |name| {
                check(&self.identity, &self.services, Action::Secret(name)).map_err(said_no)?;
                let missing = || HttpError::InternalError(Some(format!("there is no secret `{name}`")));
                self.services.secrets.get(name).ok_or_else(missing)
            })?;
            *value = HeaderValue::from_str(&filled).map_err(|_| HttpError::HttpProtocolError)?;
            value.set_sensitive(true);
        }
        Ok(())
    }
}

impl WasiHttpHooks for HttpGate {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (parts, body) = request.into_parts();
        let place = self.journal.clone().map(|journal| (journal.reserve(), journal));
        let (sending, shadow) = (self.sending(options), self.services.shadow.clone());
        Box::new(async move {
            let response = match (place, shadow) {
                (_, Some(shadow)) => shadowed(&shadow, &sending, parts, body).await?,
                (Some((slot, journal)), None) => journalled(&journal, slot, sending, parts, body).await?,
                (None, None) => sending.send(parts, read_request(body).await?).await?.map(|body| {
                    let bounded = Limited::new(body, RESPONSE_SIZE_MAX);
                    bounded.map_err(|_| HttpError::HttpResponseBodySize(Some(RESPONSE_SIZE_MAX as u64))).boxed_unsync()
                }),
            };
            let done: Box<dyn Future<Output = Result<(), HttpError>> + Send> = Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

/// The host that a request goes to, as a row of the matrix names it: with the port where it isn't the scheme's own.
fn destination(uri: &http::Uri) -> Option<String> {
    let authority = uri.authority()?;
    let own = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return None,
    };
    let host = authority.host().to_ascii_lowercase();
    Some(match authority.port_u16() {
        Some(port) if port != own => format!("{host}:{port}"),
        _ => host,
    })
}

/// True for an address of this machine itself, as a URL has it.
pub fn is_loopback(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A failure in one word.
fn reason(error: &HttpError) -> &'static str {
    match error {
        HttpError::InternalError(_) | HttpError::HttpRequestDenied => "denied",
        HttpError::HttpResponseTimeout | HttpError::ConnectionTimeout => "timeout",
        HttpError::DestinationIpProhibited => "address",
        HttpError::ConnectionRefused | HttpError::ConnectionTerminated => "connection",
        _ => "request",
    }
}

/// What the host itself says no with; the SDK reads it back.
fn said_no(error: crate::runtime::bindings::errors::Error) -> HttpError {
    let Problem { code, message, next, retry_after_ms, .. } = errors::problem(&error);
    let later = retry_after_ms.map(|ms| format!("{RETRY_AFTER}{ms}")).unwrap_or_default();
    HttpError::InternalError(Some(format!("{code}: {message}; {next}{later}")))
}

/// Stands before the milliseconds after which a request that the host refused may be sent.
pub(super) const RETRY_AFTER: &str = "; retry-after-ms ";

fn sent(error: &reqwest::Error) -> HttpError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if inner.downcast_ref::<NotPublic>().is_some() {
            return HttpError::DestinationIpProhibited;
        }
        source = inner.source();
    }
    if error.is_timeout() { HttpError::ConnectionTimeout } else { HttpError::ConnectionRefused }
}

/// Resolves names through the system, and keeps public addresses only.
struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address of this machine or its network")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|a| is_public(a.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// False for addresses that mean this machine, its network, or nobody (IANA's special-purpose registries).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_unspecified()
                || a == 0
                || v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0)
                || (a == 198 && (18..20).contains(&b))
                || a >= 240)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            // Global unicast is 2000::/3; inside it, 6to4 (2002::/16) and NAT64-like forms can hide a private v4.
            None => {
                v6.segments()[0] & 0xe000 == 0x2000 && v6.segments()[0] != 0x2002 && v6.segments()[..2] != [0x2001, 0]
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_resolved_to() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2002:0a00:0001::1",
            "255.255.255.255",
            "224.0.0.1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["1.1.1.1", "93.184.216.34", "2606:4700::1111"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn the_destination_names_a_port_that_is_not_the_schemes_own() {
        let of = |uri: &str| destination(&uri.parse().unwrap());
        assert_eq!(of("https://API.example.com/x").as_deref(), Some("api.example.com"));
        assert_eq!(of("https://api.example.com:443/").as_deref(), Some("api.example.com"));
        assert_eq!(of("http://127.0.0.1:8080/").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(of("https://h:80/").as_deref(), Some("h:80"));
        assert_eq!(of("ftp://h/"), None);
    }
}
