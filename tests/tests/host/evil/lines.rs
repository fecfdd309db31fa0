//! What guests leave in the host's log, kept for the tests that look at it.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// One line.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Its text.
    pub message: String,
    /// Its fields, in the host's form.
    pub fields: String,
    /// How many lines it says were dropped.
    pub dropped: u64,
    component: String,
}

/// The lines of one component, from the moment on at which it was asked for.
pub struct Lines(String);

static LINES: OnceLock<Mutex<HashMap<String, Vec<Line>>>> = OnceLock::new();

/// Begins to keep the lines of the component `name@version`.
pub fn of(component: &str) -> Lines {
    let lines = LINES.get_or_init(|| {
        let guests = Targets::new().with_target("guest", Level::TRACE);
        let subscriber = tracing_subscriber::registry().with(Keep.with_filter(guests));
        tracing::subscriber::set_global_default(subscriber).unwrap();
        Mutex::default()
    });
    lines.lock().unwrap().insert(component.to_owned(), Vec::new());
    Lines(component.to_owned())
}

impl Lines {
    /// What was written, when nothing more comes: what a guest has left on stdout is read after it has ended.
    pub async fn take(&self) -> Vec<Line> {
        let written = || LINES.get().unwrap().lock().unwrap()[&self.0].len();
        let mut before = usize::MAX;
        while written() != before {
            before = written();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        LINES.get().unwrap().lock().unwrap().remove(&self.0).unwrap()
    }
}

/// Most lines that are kept of one component.
const LINES_MAX: usize = 10_000;

struct Keep;

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let Some(all) = LINES.get() else { return };
        let mut all = all.lock().unwrap();
        if let Some(lines) = all.get_mut(&line.component) {
            // Fails the test that looks at them, and spares the memory of the one that runs.
            lines.truncate(LINES_MAX);
            lines.push(line);
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = value.to_owned(),
            "component" => self.component = value.to_owned(),
            "fields" => self.fields = value.to_owned(),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "dropped" {
            self.dropped = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
