//! What is told as it happens, over server-sent events or WebSocket: the same either way.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use futures::stream::unfold;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::problem::Problem;

/// How often is looked whether a client may still listen.
pub(super) const CHECK_EVERY: Duration = Duration::from_secs(10);

/// One thing that is told. As JSON it is `{"event", "id", "data"}`.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// Its name.
    event: &'static str,
    /// Its place, where one can listen on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// JSON.
    data: Box<RawValue>,
}

impl Told {
    /// Something with a JSON form.
    pub fn new(event: &'static str, value: &impl Serialize) -> Self {
        // What is told is made of texts and numbers, which always have a JSON form.
        let data = serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { event, id: None, data }
    }

    /// Something that is JSON already.
    pub fn of_json(event: &'static str, json: &str) -> Self {
        let data = serde_json::from_str(json).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { event, id: None, data }
    }

    /// With its place.
    pub fn at(self, id: impl ToString) -> Self {
        Self { id: Some(id.to_string()), ..self }
    }

    /// The last thing that is told: why nothing more comes.
    pub fn closed(why: &Problem) -> Self {
        Self::new("closed", why)
    }

    /// Its name, its place and its JSON.
    pub fn into_parts(self) -> (&'static str, Option<String>, String) {
        (self.event, self.id, Box::<str>::from(self.data).into())
    }

    fn into_event(self) -> Event {
        let event = Event::default().event(self.event).data(self.data.get());
        match self.id {
            Some(id) => event.id(id),
            None => event,
        }
    }
}

/// Where what is told comes from, and what a client says goes to.
pub(super) trait Line: Send + 'static {
    /// The next thing. Nothing is lost where this is given up before it ends. An error: nothing more comes.
    fn next(&mut self) -> impl Future<Output = Result<Told, Problem>> + Send;

    /// Takes what the client says, and answers.
    fn take(&mut self, said: &str) -> impl Future<Output = Told> + Send;

    /// Whether the client may still listen.
    fn check(&self) -> Result<(), Problem>;
}

/// A line of which is looked now and then whether the client may still listen.
pub(super) struct Checked<L> {
    pub line: L,
    checks: Interval,
}

impl<L: Line> Checked<L> {
    pub fn new(line: L) -> Self {
        let mut checks = interval(CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { line, checks }
    }

    /// As [`Line::next`].
    pub async fn next(&mut self) -> Result<Told, Problem> {
        loop {
            tokio::select! {
                biased;
                _ = self.checks.tick() => self.line.check()?,
                told = self.line.next() => return told,
            }
        }
    }
}

/// Tells a line as server-sent events.
pub(super) fn events(line: impl Line) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let told = unfold(Some(Checked::new(line)), |line| async move {
        let mut line = line?;
        let (told, rest) = match line.next().await {
            Ok(told) => (told, Some(line)),
            Err(why) => (Told::closed(&why), None),
        };
        Some((Ok(told.into_event()), rest))
    });
    Sse::new(told).keep_alive(KeepAlive::default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_told_has_one_form_for_sockets() {
        let told = Told::of_json("message", "{\"a\":1}").at("0-7");
        assert_eq!(
            serde_json::to_value(&told).unwrap(),
            json!({ "event": "message", "id": "0-7", "data": { "a": 1 } })
        );
        let closed = Told::closed(&Problem::invalid("a.b", "words", "next"));
        let expected = json!({ "event": "closed", "data": { "code": "a.b", "message": "words", "next": "next" } });
        assert_eq!(serde_json::to_value(&closed).unwrap(), expected);
    }
}
