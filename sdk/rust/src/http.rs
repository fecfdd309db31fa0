//! Requests to the outside, through `wasi:http`. Needs a rule in the permission matrix: `http = [{ host, methods }]`.
//!
//! A header may hold `${secret:NAME}`: the host puts the secret in its place where `secrets` allows it, and the component
//! never sees it.
//!
//! ```no_run
//! use wasmill_sdk::http::{self, Request};
//!
//! let request = Request::get("https://example.org/weather").with_header("authorization", "Bearer ${secret:WEATHER}");
//! let response = http::send(&request)?;
//! assert_eq!(response.status, 200);
//! # Ok::<(), wasmill_sdk::Error>(())
//! ```

mod errors;

use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme};
use wasip2::io::streams::StreamError;

use crate::Error;

/// Largest body that is taken in, in bytes; a longer one is an error, so that it cannot fill the memory.
pub const BODY_SIZE_MAX: usize = 16 * 1024 * 1024;

/// Bytes that are written or read in one step: `wasi:io` takes no more in one blocking write.
const CHUNK_SIZE: usize = 4096;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method in capitals.
    pub method: String,
    /// `http://` or `https://`, host, and what follows.
    pub url: String,
    /// Names and values in order; a name may come more than once.
    pub headers: Vec<(String, String)>,
    /// Body; may be empty.
    pub body: Vec<u8>,
    /// How long to wait for the connection, the first byte, and between bytes; none: the host's own.
    pub timeout: Option<Duration>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Names in small letters and values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body, at most [`BODY_SIZE_MAX`].
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self { method: method.to_owned(), url: url.into(), headers: Vec::new(), body: Vec::new(), timeout: None }
    }

    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST request.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new("POST", url) }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Bounds the time to wait for the connection, the first byte, and between bytes.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// Sends a request and waits for the whole answer. Any status is an answer and no error.
///
/// # Errors
/// `denied` (`http.denied`) where the matrix allows no such request; `invalid` (`http.request`) for a malformed one;
/// `unavailable` (`http.unavailable`) where there is no answer in time; `limit` (`http.body`) for a body over
/// [`BODY_SIZE_MAX`]; `failed` (`http.protocol`) for an answer that makes no sense.
pub fn send(request: &Request) -> Result<Response, Error> {
    let outgoing = head(request)?;
    let body = outgoing.body().map_err(|()| errors::request("the body was taken twice"))?;
    let pending = outgoing_handler::handle(outgoing, options(request)?).map_err(|code| errors::from_code(&code))?;
    write_body(body, &request.body)?;

    pending.subscribe().block();
    let answer = pending.get().ok_or_else(|| errors::unavailable("the host gave no answer"))?;
    let response = answer.map_err(|()| errors::unavailable("the answer was taken twice"))?;
    read(&response.map_err(|code| errors::from_code(&code))?)
}

fn head(request: &Request) -> Result<OutgoingRequest, Error> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers
            .append(name, value.as_bytes())
            .map_err(|error| errors::request(format!("header `{name}` is refused: {error}")))?;
    }
    let (scheme, authority, path) = split(&request.url)?;
    let outgoing = OutgoingRequest::new(headers);
    outgoing
        .set_method(&method(&request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&path)))
        .map_err(|()| errors::request(format!("method or address is malformed: {} {}", request.method, request.url)))?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

/// Scheme, host with port, and path with query; the fragment stays at home.
fn split(url: &str) -> Result<(Scheme, &str, String), Error> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| errors::request(format!("{url:?} has no scheme")))?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => return Err(errors::request(format!("the scheme is http or https, not {other}"))),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((scheme, authority, path))
}

fn options(request: &Request) -> Result<Option<RequestOptions>, Error> {
    let Some(timeout) = request.timeout else { return Ok(None) };
    let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let options = RequestOptions::new();
    options
        .set_connect_timeout(Some(nanos))
        .and_then(|()| options.set_first_byte_timeout(Some(nanos)))
        .and_then(|()| options.set_between_bytes_timeout(Some(nanos)))
        .map_err(|()| errors::request("this host takes no timeout"))?;
    Ok(Some(options))
}

fn write_body(body: OutgoingBody, bytes: &[u8]) -> Result<(), Error> {
    let stream = body.write().map_err(|()| errors::request("the body was taken twice"))?;
    for chunk in bytes.chunks(CHUNK_SIZE) {
        // A server that answers before it has read everything closes the stream; what counts then is its answer.
        if stream.blocking_write_and_flush(chunk).is_err() {
            break;
        }
    }
    // The stream is a child of the body and must go first.
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| errors::from_code(&code))
}

fn read(response: &IncomingResponse) -> Result<Response, Error> {
    let status = response.status();
    let headers = response.headers().entries();
    let incoming = response.consume().map_err(|()| errors::protocol("the body was taken twice"))?;
    let stream = incoming.stream().map_err(|()| errors::protocol("the body was taken twice"))?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(16 * CHUNK_SIZE as u64) {
            Ok(bytes) if body.len() + bytes.len() > BODY_SIZE_MAX => return Err(errors::body_size()),
            Ok(bytes) => body.extend_from_slice(&bytes),
            Err(StreamError::Closed) => return Ok(Response { status, headers, body }),
            Err(StreamError::LastOperationFailed(error)) => return Err(errors::unavailable(error.to_debug_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(String, String)> {
        split(url).ok().map(|(_, authority, path)| (authority.to_owned(), path))
    }

    #[test]
    fn an_address_falls_into_host_and_path() {
        let both = |host: &str, path: &str| Some((host.to_owned(), path.to_owned()));
        assert_eq!(parts("https://a.example:8443/x/y?z=1#here"), both("a.example:8443", "/x/y?z=1"));
        assert_eq!(parts("http://a.example"), both("a.example", "/"));
        assert_eq!(parts("http://a.example?q=1"), both("a.example", "/?q=1"));
    }

    #[test]
    fn other_schemes_are_refused() {
        assert!(parts("file:///etc/passwd").is_none());
        assert!(parts("a.example/x").is_none());
    }
}
