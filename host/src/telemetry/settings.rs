//! The `[telemetry]` section of host.toml.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Most spans that may wait.
const QUEUE_SPANS_MAX: usize = 1_000_000;

/// Where traces go, and which.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Base URL of an OTLP receiver over HTTP, such as `http://localhost:4318`; spans go to `/v1/traces` there. None: no
    /// traces are recorded.
    pub endpoint: Option<String>,
    /// Headers for the receiver. `${secret:NAME}` in a value becomes that secret.
    pub headers: BTreeMap<String, String>,
    /// Name of the service that the spans are of.
    pub service_name: String,
    /// Share of the traces that begin here which is recorded. A trace that began elsewhere is recorded where its
    /// `traceparent` says so.
    pub sample_ratio: Ratio,
    /// Most spans that wait to be sent; more are dropped and counted.
    pub queue_spans: usize,
    /// Most spans of one request.
    pub batch_spans: usize,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: BTreeMap::new(),
            service_name: "wasmill".to_owned(),
            sample_ratio: Ratio(0.01),
            queue_spans: 8_192,
            batch_spans: 512,
        }
    }
}

impl TelemetryConfig {
    /// Field and words of the first value that can't be used.
    pub fn misfit(&self) -> Option<(&'static str, String)> {
        if let Some(endpoint) = &self.endpoint
            && let Err(wrong) = traces_url(endpoint)
        {
            return Some(("endpoint", wrong));
        }
        for (name, value) in &self.headers {
            if http::HeaderName::try_from(name).is_err() || http::HeaderValue::try_from(value).is_err() {
                return Some(("headers", format!("`{name}` with its value is no HTTP header")));
            }
        }
        if !(1..=QUEUE_SPANS_MAX).contains(&self.queue_spans) {
            return Some(("queue_spans", format!("queue_spans is between 1 and {QUEUE_SPANS_MAX}")));
        }
        if !(1..=QUEUE_SPANS_MAX).contains(&self.batch_spans) {
            return Some(("batch_spans", format!("batch_spans is between 1 and {QUEUE_SPANS_MAX}")));
        }
        None
    }
}

/// Where spans are sent, for the base URL of a receiver.
pub(super) fn traces_url(base: &str) -> Result<http::Uri, String> {
    let wrong = |why: &str| format!("`{base}` is no URL of a receiver, such as http://localhost:4318: {why}");
    let url = format!("{}/v1/traces", base.trim_end_matches('/').trim_end_matches("/v1/traces"));
    let url: http::Uri = url.parse().map_err(|error| wrong(&format!("{error}")))?;
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => Ok(url),
        (Some("http" | "https"), Some(_)) => Err(wrong("a password belongs into `headers`, as a secret")),
        _ => Err(wrong("it begins with http:// or https://")),
    }
}

/// A share, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Ratio(f64);

/// A share is never NaN.
impl Eq for Ratio {}

impl Ratio {
    /// As a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Ratio {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err(format!("{share} is not between 0 and 1")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_to_the_path_of_the_protocol() {
        for base in ["http://h:4318", "http://h:4318/", "http://h:4318/v1/traces"] {
            assert_eq!(traces_url(base).unwrap(), "http://h:4318/v1/traces");
        }
        assert_eq!(traces_url("https://h/otlp").unwrap(), "https://h/otlp/v1/traces");
        for wrong in ["h:4318", "grpc://h", "", "http://user:password@h", "http://"] {
            assert!(traces_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_a_share() {
        for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Ratio::try_from(share).is_err(), "{share}");
        }
        assert_eq!(Ratio::try_from(1.0).map(Ratio::get), Ok(1.0));
    }
}
