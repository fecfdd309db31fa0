//! The way of spans to their receiver: a bounded queue, and a task that empties it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::message::{Attribute, Ended, request};
use super::settings::{TelemetryConfig, traces_url};
use crate::meters::{TelemetryFigures, TelemetryMeter};

/// Longest wait for a batch to become full.
const GATHER: Duration = Duration::from_secs(1);
/// Longest wait for a receiver's answer.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// How often a batch is tried that a receiver can't take now.
const ATTEMPTS_MAX: u32 = 3;
/// Pause before the second attempt; doubled before the third.
const AGAIN: Duration = Duration::from_millis(200);
/// Pause after a batch could not be sent; doubled with each further one.
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
/// Longest such pause.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// Who sends.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// This machine's name.
    pub host: String,
    /// What tells this host from all others.
    pub instance: String,
}

/// Why nothing can be recorded.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// A setting can't be used.
    #[error("[telemetry] {0}: {1}")]
    Setting(&'static str, String),
    /// There is no client to send with.
    #[error("spans can't be sent: {0}")]
    Client(String),
}

impl TelemetryError {
    /// A stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting(..) => "telemetry.setting",
            Self::Client(_) => "telemetry.client",
        }
    }
}

/// Where ended spans go.
pub(super) struct Outlet {
    queue: mpsc::Sender<Ended>,
    meter: Arc<TelemetryMeter>,
    closing: watch::Sender<bool>,
    sender: Mutex<Option<JoinHandle<()>>>,
}

impl Outlet {
    /// Opens it; none where the settings name no receiver. Nobody is asked whether the receiver is there.
    pub fn open(
        config: &TelemetryConfig,
        headers: Vec<(String, String)>,
        facts: &Facts,
    ) -> Result<Option<Self>, TelemetryError> {
        let Some(endpoint) = &config.endpoint else { return Ok(None) };
        if let Some((field, wrong)) = config.misfit() {
            return Err(TelemetryError::Setting(field, wrong));
        }
        let url = traces_url(endpoint).map_err(|wrong| TelemetryError::Setting("endpoint", wrong))?;
        let client = client(headers)?;
        let (queue, waiting) = mpsc::channel(config.queue_spans);
        let (closing, is_closing) = watch::channel(false);
        let meter = Arc::<TelemetryMeter>::default();
        let sender = Sender {
            client,
            resource: resource(config, facts),
            waiting,
            is_closing,
            meter: meter.clone(),
            batch_max: config.batch_spans,
            endpoint: url.to_string(),
        };
        let sender = Mutex::new(Some(tokio::spawn(sender.run())));
        Ok(Some(Self { queue, meter, closing, sender }))
    }

    /// Takes a span, where there is room for it. Never waits.
    pub fn put(&self, span: Ended) {
        if self.queue.try_send(span).is_err() {
            self.meter.dropped();
        }
    }

    /// What became of spans.
    pub fn figures(&self) -> TelemetryFigures {
        self.meter.figures()
    }

    /// Sends what waits, for so long at most.
    pub async fn close(&self, within: Duration) {
        self.closing.send_replace(true);
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut sender) = sender
            && tokio::time::timeout(within, &mut sender).await.is_err()
        {
            sender.abort();
        }
    }
}

fn client(headers: Vec<(String, String)>) -> Result<reqwest::Client, TelemetryError> {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        let wrong = || TelemetryError::Setting("headers", format!("`{name}` with its value is no HTTP header"));
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        all.insert(HeaderName::try_from(&name).map_err(|_| wrong())?, value);
    }
    all.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_WAIT)
        .user_agent(concat!("wasmill/", env!("CARGO_PKG_VERSION")))
        .default_headers(all)
        .build()
        .map_err(|error| TelemetryError::Client(error.to_string()))
}

fn resource(config: &TelemetryConfig, facts: &Facts) -> Vec<Attribute> {
    vec![
        ("service.name", config.service_name.clone().into()),
        ("service.version", env!("CARGO_PKG_VERSION").into()),
        ("service.instance.id", facts.instance.clone().into()),
        ("host.name", facts.host.clone().into()),
    ]
}

/// Empties the queue.
struct Sender {
    client: reqwest::Client,
    resource: Vec<Attribute>,
    waiting: mpsc::Receiver<Ended>,
    is_closing: watch::Receiver<bool>,
    meter: Arc<TelemetryMeter>,
    batch_max: usize,
    endpoint: String,
}

impl Sender {
    async fn run(mut self) {
        let mut pause = None;
        loop {
            let batch = self.batch().await;
            // Nothing comes any more, or nothing is left of what came.
            if batch.is_empty() {
                return;
            }
            let is_sent = self.send(batch, pause.is_some()).await;
            if !is_sent && *self.is_closing.borrow() {
                return;
            }
            pause = (!is_sent).then(|| pause.map_or(BACK_OFF_FIRST, |pause: Duration| (2 * pause).min(BACK_OFF_MAX)));
            if let Some(pause) = pause {
                // A host that stops doesn't wait for it.
                let _ = tokio::time::timeout(pause, self.is_closing.wait_for(|closing| *closing)).await;
            }
        }
    }

    /// The next spans to send; none at the end.
    async fn batch(&mut self) -> Vec<Ended> {
        let mut batch = Vec::new();
        let mut until = None;
        while batch.len() < self.batch_max && !*self.is_closing.borrow() {
            let room = self.batch_max - batch.len();
            let deadline = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
            let came = tokio::select! {
                came = tokio::time::timeout_at(deadline, self.waiting.recv_many(&mut batch, room)) => came,
                _ = self.is_closing.wait_for(|closing| *closing) => break,
            };
            match came {
                Ok(0) => return batch,
                Err(_) if !batch.is_empty() => return batch,
                Ok(_) | Err(_) => {}
            }
            until = until.or_else(|| Some(Instant::now() + GATHER));
        }
        while batch.len() < self.batch_max
            && let Ok(span) = self.waiting.try_recv()
        {
            batch.push(span);
        }
        batch
    }

    /// Sends a batch; false where that failed. Says so once, until it is sent again.
    async fn send(&self, batch: Vec<Ended>, had_failed: bool) -> bool {
        let spans = batch.len() as u64;
        match self.deliver(request(&self.resource, &batch)).await {
            Ok(()) => {
                self.meter.sent(spans);
                if had_failed {
                    tracing::info!(endpoint = self.endpoint, "traces are sent again");
                }
                true
            }
            Err(error) => {
                self.meter.failed(spans);
                if !had_failed {
                    let endpoint = &self.endpoint;
                    tracing::warn!(
                        endpoint,
                        "traces can't be sent, and are dropped until the receiver takes them: {error}"
                    );
                }
                false
            }
        }
    }
    /// Tries a few times, where the receiver may take it later.
    async fn deliver(&self, body: Vec<u8>) -> Result<(), String> {
        let mut attempt = 1;
        loop {
            let answer = self.client.post(&self.endpoint).body(body.clone()).send().await;
            let (why, may_pass) = match answer {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => (format!("it answers {}", answer.status()), may_pass(answer.status())),
                // Waiting once more for whoever doesn't answer would only take longer.
                Err(error) => (said(&error), error.is_connect()),
            };
            if !may_pass || attempt >= ATTEMPTS_MAX || *self.is_closing.borrow() {
                return Err(why);
            }
            tokio::time::sleep(AGAIN * 2u32.pow(attempt - 1)).await;
            attempt += 1;
        }
    }
}

/// The answers after which OTLP lets a client try again.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// An error of the client with its reason, which its own words leave out.
fn said(error: &reqwest::Error) -> String {
    use std::error::Error;
    let mut text = "it can't be reached".to_owned();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
