//! What a host tells of its work while it does it: traces over OTLP, and log lines that say which work they belong to.
//!
//! A trace travels as a W3C `traceparent`: with a call, in the headers of a record, in a request. A [`Span`] is one piece
//! of that work. It costs something only where its trace is sampled; what is recorded waits in a bounded queue and is sent
//! from a task of its own, so that no receiver, slow or away, holds up the work. Nothing here may decide anything.

mod export;
mod listeners;
mod log;
mod message;
mod settings;
mod span;
mod traceparent;
mod work;

pub use export::{Facts, TelemetryError};
pub use listeners::{Listener, Told};
pub use log::JsonLines;
pub use message::{Ended, SpanKind, Value};
pub use settings::{Ratio, TelemetryConfig};
pub use span::{About, LINKS_MAX, Span, Telemetry};
pub use traceparent::{is_sampled, is_traceparent, new_traceparent, same_trace};
pub use work::Work;
