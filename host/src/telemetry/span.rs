//! Pieces of work that belong to traces.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::export::{Facts, Outlet, TelemetryError};
use super::listeners::{Listener, Listeners};
use super::message::{Attribute, Ended, SpanKind, Value};
use super::settings::{Ratio, TelemetryConfig};
use super::traceparent::{Context, context, drawn, is_sampled, new_traceparent, written};
use crate::meters::TelemetryFigures;

/// Most links of one span.
pub const LINKS_MAX: usize = 32;
/// Longest name or text of a span, in characters: some of it comes from whoever asks.
const TEXT_MAX: usize = 256;

/// Records traces, or doesn't. Cheap to clone.
#[derive(Clone, Default)]
pub struct Telemetry(Option<Arc<Recorder>>);

struct Recorder {
    /// Where spans are sent; none: only listeners get them.
    outlet: Option<Outlet>,
    listeners: Listeners,
    ratio: Ratio,
}

impl Recorder {
    /// Whether anybody wants spans at this moment.
    fn is_wanted(&self) -> bool {
        self.outlet.is_some() || self.listeners.are_there()
    }

    fn end(&self, span: Ended) {
        let Some(outlet) = &self.outlet else { return self.listeners.tell(span) };
        if self.listeners.are_there() {
            self.listeners.tell(span.clone());
        }
        outlet.put(span);
    }
}

/// What a span is about. The names follow OpenTelemetry's semantic conventions where these have one.
pub struct About {
    name: String,
    kind: SpanKind,
    attributes: Vec<Attribute>,
    links: Vec<Context>,
}

impl About {
    /// A span of this name and kind.
    pub fn new(name: impl Into<String>, kind: SpanKind) -> Self {
        Self { name: clipped(name.into()), kind, attributes: Vec::new(), links: Vec::new() }
    }

    /// The same with an attribute.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((key, bounded(value.into())));
        self
    }

    /// The same with links to other traces, [`LINKS_MAX`] of them at most.
    pub fn linked<'a>(mut self, traceparents: impl IntoIterator<Item = &'a str>) -> Self {
        self.links = traceparents.into_iter().filter_map(context).take(LINKS_MAX).collect();
        self
    }
}

impl Telemetry {
    /// Records nothing.
    pub fn off() -> Self {
        Self::default()
    }

    /// Begins to record, for the receiver that the settings name and for whoever listens. `headers` are those of the settings, with their secrets.
    ///
    /// # Errors
    /// Where the settings can't be used, or the machine's TLS.
    pub fn start(
        config: &TelemetryConfig,
        headers: Vec<(String, String)>,
        facts: &Facts,
    ) -> Result<Self, TelemetryError> {
        let outlet = Outlet::open(config, headers, facts)?;
        Ok(Self(Some(Arc::new(Recorder { outlet, listeners: Listeners::new(), ratio: config.sample_ratio }))))
    }

    /// False where nothing is recorded now.
    pub fn is_on(&self) -> bool {
        self.wanted().is_some()
    }

    /// Somebody who is told of each span that ends from now on; none where nothing is ever recorded.
    pub fn listen(&self) -> Option<Listener> {
        self.0.as_ref().map(|recorder| recorder.listeners.join())
    }

    fn wanted(&self) -> Option<&Arc<Recorder>> {
        self.0.as_ref().filter(|recorder| recorder.is_wanted())
    }

    /// A trace that begins here, recorded or not as the settings say.
    pub fn draw(&self) -> Arc<str> {
        match self.wanted() {
            Some(recorder) => drawn(rand::random::<f64>() < recorder.ratio.get()),
            None => new_traceparent(),
        }
    }

    /// Begins a span below `parent`, or the first one of a trace that begins here.
    pub fn span(&self, parent: Option<&str>, about: impl FnOnce() -> About) -> Span {
        match parent {
            Some(parent) => self.record(parent, true, about).unwrap_or_else(|| Span::unrecorded(parent)),
            None => self.first(&self.draw(), about),
        }
    }

    /// Begins a span below the work of a call.
    pub fn below(&self, parent: &Arc<str>, about: impl FnOnce() -> About) -> Span {
        self.record(parent, true, about).unwrap_or_else(|| Span::unrecorded(parent.clone()))
    }

    /// Begins the first span of a trace that [`Telemetry::draw`] gave.
    pub fn first(&self, trace: &Arc<str>, about: impl FnOnce() -> About) -> Span {
        self.record(trace, false, about).unwrap_or_else(|| Span::unrecorded(trace.clone()))
    }

    fn record(&self, trace: &str, is_parent: bool, about: impl FnOnce() -> About) -> Option<Span> {
        let recorder = self.wanted().filter(|_| is_sampled(trace))?;
        let parent = context(trace)?;
        let About { name, kind, attributes, links } = about();
        let own = Context { trace: parent.trace, span: rand::random_range(1..=u64::MAX).to_be_bytes() };
        let began_ns = now_ns();
        let span = Ended {
            own,
            parent: is_parent.then_some(parent.span),
            name,
            kind,
            began_ns,
            ended_ns: began_ns,
            attributes,
            links,
            has_failed: false,
        };
        Some(Span { traceparent: written(own, true), open: Some(Box::new((span, recorder.clone()))) })
    }

    /// What became of spans; none where nothing is recorded.
    pub fn figures(&self) -> Option<TelemetryFigures> {
        Some(self.0.as_ref()?.outlet.as_ref()?.figures())
    }

    /// Sends what waits, for so long at most. What ends later is dropped.
    pub async fn close(&self, within: Duration) {
        if let Some(outlet) = self.0.as_ref().and_then(|recorder| recorder.outlet.as_ref()) {
            outlet.close(within).await;
        }
    }
}

/// A piece of work under way. It ends when this is dropped.
#[must_use]
pub struct Span {
    traceparent: Arc<str>,
    open: Option<Box<(Ended, Arc<Recorder>)>>,
}

impl Span {
    /// Work that nobody records; what is below it belongs to the trace all the same.
    pub fn unrecorded(traceparent: impl Into<Arc<str>>) -> Self {
        Self { traceparent: traceparent.into(), open: None }
    }

    /// What is below it goes on with this.
    pub fn traceparent(&self) -> &Arc<str> {
        &self.traceparent
    }

    /// The same, where this span is recorded.
    pub fn recorded(&self) -> Option<Arc<str>> {
        self.open.as_ref().map(|_| self.traceparent.clone())
    }

    /// Adds an attribute.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(open) = &mut self.open {
            open.0.attributes.push((key, bounded(value.into())));
        }
    }

    /// It failed, with this code. Messages are not for a receiver: some repeat what was asked.
    pub fn fail(&mut self, code: &str) {
        if let Some(open) = &mut self.open {
            open.0.attributes.push(("error.type", bounded(code.into())));
            open.0.has_failed = true;
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some((mut span, recorder)) = self.open.take().map(|open| *open) {
            span.ended_ns = now_ns();
            recorder.end(span);
        }
    }
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn bounded(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(clipped(text)),
        Value::Number(number) => Value::Number(number),
    }
}

fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{is_traceparent, same_trace};

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// A recorder whose receiver is never reached.
    fn recording(ratio: f64, queue_spans: usize) -> Telemetry {
        let config = TelemetryConfig {
            endpoint: Some("http://127.0.0.1:9".into()),
            sample_ratio: Ratio::try_from(ratio).unwrap(),
            queue_spans,
            ..TelemetryConfig::default()
        };
        Telemetry::start(&config, Vec::new(), &Facts::default()).unwrap()
    }

    fn about() -> About {
        About::new("work", SpanKind::Internal)
    }

    #[tokio::test]
    async fn what_is_below_a_recorded_span_has_it_as_its_parent() {
        let telemetry = recording(0.0, 8);
        let span = telemetry.span(Some(GIVEN), about);
        assert!(span.recorded().is_some() && same_trace(span.traceparent(), GIVEN));
        assert!(**span.traceparent() != *GIVEN && is_sampled(span.traceparent()));
        assert_eq!(span.open.as_ref().unwrap().0.parent.map(hex::encode).as_deref(), Some(&GIVEN[36..52]));
    }

    #[tokio::test]
    async fn what_nobody_records_goes_on_as_it_came() {
        let unsampled = GIVEN.replace("-01", "-00");
        for (telemetry, given) in [(recording(1.0, 8), &*unsampled), (Telemetry::off(), GIVEN)] {
            let span = telemetry.span(Some(given), || panic!("nothing is said of a span that nobody records"));
            assert_eq!((&**span.traceparent(), span.recorded()), (given, None));
        }
    }

    #[tokio::test]
    async fn a_new_trace_is_recorded_as_often_as_the_settings_say() {
        for (ratio, between) in [(0.0, 0..=0), (0.5, 350..=650), (1.0, 1000..=1000)] {
            let telemetry = recording(ratio, 1);
            let recorded = (0..1000).filter(|_| telemetry.span(None, about).recorded().is_some()).count();
            assert!(between.contains(&recorded), "{recorded} of 1000 at {ratio}");
        }
        let first = recording(1.0, 1).span(None, about);
        assert!(is_traceparent(first.traceparent()));
        assert_eq!(first.open.as_ref().unwrap().0.parent, None);
        assert!(!is_sampled(&Telemetry::off().draw()), "nobody records it");
    }

    #[tokio::test]
    async fn what_does_not_fit_the_queue_is_dropped_and_counted() {
        let telemetry = recording(1.0, 5);
        // Nothing is sent meanwhile: this test never lets the sender work.
        for _ in 0..12 {
            drop(telemetry.span(None, about));
        }
        assert_eq!(telemetry.figures().map(|figures| figures.dropped), Some(7));
    }

    #[test]
    fn text_of_whoever_asks_is_cut() {
        let long = "ä".repeat(1000);
        let about = About::new(long.clone(), SpanKind::Internal).with("k", long.clone()).linked([GIVEN, "nonsense"]);
        assert_eq!(about.name.chars().count(), TEXT_MAX);
        assert_eq!(about.attributes[0].1, Value::Text("ä".repeat(TEXT_MAX)));
        assert_eq!(about.links.len(), 1);
        let many = vec![GIVEN; 100];
        assert_eq!(About::new("x", SpanKind::Internal).linked(many).links.len(), LINKS_MAX);
    }
}
