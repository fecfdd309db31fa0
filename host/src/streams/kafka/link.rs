//! What librdkafka says beside its answers: log lines and errors of the connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// How long an error of the connection explains a request that got no answer.
const EXPLAINS_MAX: Duration = Duration::from_secs(60);

/// The newest error of the connection, shared by all clients of one host.
///
/// A request that gets no answer only says that it timed out; why is told here.
#[derive(Debug, Default)]
pub(super) struct Link {
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug, Clone)]
struct Trouble {
    at: Instant,
    is_refusal: bool,
    reason: String,
}

impl Link {
    /// Why requests get no answer: true where the broker refuses us, and its words.
    pub(super) fn reason(&self) -> Option<(bool, String)> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().filter(|t| t.at.elapsed() < EXPLAINS_MAX).map(|t| (t.is_refusal, t.reason.clone()))
    }

    /// Forgets the error: the broker answered.
    pub(super) fn answered(&self) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Takes note of an error of the connection.
    pub(super) fn failed(&self, code: RDKafkaErrorCode, reason: &str) {
        // It only counts the brokers that the other errors are about.
        if code == RDKafkaErrorCode::AllBrokersDown {
            return;
        }
        let is_refusal = matches!(
            code,
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed | RDKafkaErrorCode::SSL
        );
        tracing::debug!(target: "wasmill::kafka", ?code, reason, "connection");
        let trouble = Trouble { at: Instant::now(), is_refusal, reason: reason.to_owned() };
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }
}

/// Writes one of librdkafka's own lines to our log. Its warnings are about single connections that it repairs itself,
/// so they are ours only for debugging.
pub(super) fn write_line(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "wasmill::kafka", facility, "{line}")
        }
        _ => tracing::debug!(target: "wasmill::kafka", facility, "{line}"),
    }
}

/// Context of clients that have nothing else to tell.
#[derive(Clone)]
pub(super) struct LinkContext(pub(super) Arc<Link>);

impl ClientContext for LinkContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        write_line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.0.failed(code, reason);
        }
    }
}

impl rdkafka::consumer::ConsumerContext for LinkContext {}
