//! The log as lines of JSON, each with the work that it belongs to.

use std::fmt;

use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::traceparent::ids;
use super::work::Work;

/// One object a line: time, level, where it comes from, the work at hand, and the event's own fields. A field of the event
/// stands before one of the work with the same name.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        Work::look(|work| fields.add_work(work));
        let at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        writeln!(writer, "{}", line(&at, level, target, &fields).map_err(|_| fmt::Error)?)
    }
}

fn line(at: &str, level: &str, target: &str, fields: &Fields) -> serde_json::Result<String> {
    let mut text = Vec::with_capacity(256);
    let mut json = serde_json::Serializer::new(&mut text);
    let mut map = json.serialize_map(None)?;
    for (name, value) in [("timestamp", at), ("level", level), ("target", target)] {
        map.serialize_entry(name, value)?;
    }
    for (name, value) in &fields.0 {
        map.serialize_entry(name, value)?;
    }
    map.end()?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn add(&mut self, name: &'static str, value: Value) {
        if !self.0.iter().any(|(known, _)| *known == name) {
            self.0.push((name, value));
        }
    }

    fn add_work(&mut self, work: &Work) {
        if let Some((trace, span)) = work.traceparent.as_deref().and_then(ids) {
            self.add("trace_id", trace.into());
            self.add("span_id", span.into());
        }
        let names = [("agent", &work.agent), ("run", &work.run), ("tool", &work.tool), ("client", &work.client)];
        for (name, value) in names {
            if let Some(value) = value {
                self.add(name, (&**value).into());
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_says_which_work_it_belongs_to() {
        let written = Written::default();
        let to = written.clone();
        let log = tracing_subscriber::fmt().event_format(JsonLines).with_writer(move || to.clone()).finish();
        let _log = tracing::subscriber::set_default(log);
        tracing::info!(count = 7, kind = ?Some("x"), "before \"all\"\nwork");
        let work = Work {
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            agent: Some("counter@1.0.0".into()),
            tool: Some("text/count".into()),
            ..Work::default()
        };
        work.scope(async { tracing::warn!(target: "guest", agent = "its own", "at work") }).await;
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!((&lines[0]["count"], &lines[0]["message"]), (&7.into(), &"before \"all\"\nwork".into()));
        assert_eq!((&lines[0]["level"], lines[0].get("trace_id")), (&"INFO".into(), None));
        assert_eq!(lines[1]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(lines[1]["span_id"], "b7ad6b7169203331");
        assert_eq!((&lines[1]["agent"], &lines[1]["tool"]), (&"its own".into(), &"text/count".into()));
        assert_eq!((&lines[1]["target"], lines[1].get("client")), (&"guest".into(), None));
    }
}
