//! What an agent is, and the shell that stands between it and the contract.

use std::cell::RefCell;

use crate::bindings::agent::exports::wasmill::plugin::agent as contract;
use crate::bindings::agent::wasmill::plugin::records;
use crate::{Batch, Error, Outbox, Record};

/// An agent. Export it with [`agent!`](crate::agent).
///
/// One value lives in each warm instance, one instance works on one partition. It may keep caches in its fields, but
/// only [`state`](crate::state) survives a restart.
pub trait Agent: Default + 'static {
    /// Handles the records of one partition, in order.
    ///
    /// Everything sent and every change of state is committed together with the consumed offsets, or dropped when this
    /// returns a failure.
    ///
    /// # Errors
    /// A [`Failure`]; `?` on an [`Error`] makes one for the record that the iteration stands at. The rows are then given
    /// again one by one, and a record that fails alone goes to the dead-letter topic.
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure>;

    /// A timer that this agent has set with [`timers`](crate::timers) fires: its key is the timer's name, its value the
    /// payload, its timestamp the moment at which it was due.
    ///
    /// # Errors
    /// As [`handle`](Self::handle); a timer that fails alone goes to `wasmill.timer.dlq`.
    fn timer(&mut self, timer: &Record<'_>, out: &mut Outbox) -> Result<(), Failure> {
        let _ = out;
        Err(nobody_waits("timer", timer))
    }

    /// A schedule of the manifest (`[[agent.cron]]`) is due: its key is the schedule's name, its value the payload, its
    /// timestamp the moment at which it was due.
    ///
    /// # Errors
    /// As [`handle`](Self::handle); one that fails alone goes to `wasmill.cron.dlq`, and comes again at its next time.
    fn cron(&mut self, cron: &Record<'_>, out: &mut Outbox) -> Result<(), Failure> {
        let _ = out;
        Err(nobody_waits("cron", cron))
    }

    /// Called once when the partition has given no record and no timer for the manifest's `idle_ms`.
    ///
    /// # Errors
    /// Everything sent and changed in this call is dropped.
    fn idle(&mut self, out: &mut Outbox) -> Result<(), Error> {
        let _ = out;
        Ok(())
    }
}

fn nobody_waits(method: &str, record: &Record<'_>) -> Failure {
    let name = record.key_str().unwrap_or_default();
    let message = format!("this agent has no method `{method}`, and `{name}` fired");
    Error::invalid("agent.unexpected", message).with_next("Write the method.").into()
}

/// Topics of batches that nobody has sent.
const TIMERS: &str = "wasmill.timer";
const CRONS: &str = "wasmill.cron";

/// Why a batch could not be handled.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Row of the batch that failed; none: the one that the iteration stands at.
    pub row: Option<u32>,
    /// Why.
    pub reason: Error,
    /// True where the same record may succeed later.
    pub retry: bool,
}

impl Failure {
    /// A failure of one record. It may succeed later where the reason is that something does not answer now.
    pub fn of(record: &Record<'_>, reason: impl Into<Error>) -> Self {
        Self { row: Some(record.row()), ..Self::from(reason.into()) }
    }
}

impl From<Error> for Failure {
    fn from(reason: Error) -> Self {
        let retry = matches!(reason, Error::Unavailable(_)) || reason.retry_after().is_some();
        Self { row: None, reason, retry }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::from(Error::from(message))
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::from(Error::from(message))
    }
}

/// What an instance keeps: the agent, and an outbox whose buffers are used again for every batch.
#[doc(hidden)]
#[derive(Default)]
pub struct Shell<A> {
    inner: RefCell<(A, Outbox)>,
}

impl<A: Agent> Shell<A> {
    /// Runs `handle` and sends what is left in the outbox.
    pub fn handle(&self, batch: records::Batch) -> Result<(), contract::Failure> {
        let batch = Batch::new(batch);
        let (agent, out) = &mut *self.inner.borrow_mut();
        let handled = match batch.topic() {
            TIMERS => batch.iter().try_for_each(|timer| agent.timer(&timer, out)),
            CRONS => batch.iter().try_for_each(|cron| agent.cron(&cron, out)),
            _ => agent.handle(&batch, out),
        };
        let result = handled.and_then(|()| out.flush().map_err(Failure::from));
        out.discard();
        result.map_err(|failure| contract::Failure {
            row: failure.row.unwrap_or(batch.position()),
            reason: failure.reason,
            retry: failure.retry,
        })
    }

    /// Runs `idle` and sends what is left in the outbox.
    pub fn idle(&self) -> Result<(), Error> {
        let (agent, out) = &mut *self.inner.borrow_mut();
        let result = agent.idle(out).and_then(|()| out.flush());
        out.discard();
        result
    }
}

/// Makes a type that implements [`Agent`](crate::Agent) what this component exports.
#[macro_export]
macro_rules! agent {
    ($agent:ident) => {
        const _: () = {
            ::std::thread_local! {
                static SHELL: $crate::Shell<$agent> = ::std::default::Default::default();
            }

            #[doc(hidden)]
            struct Component;

            impl $crate::bindings::agent::exports::wasmill::plugin::agent::Guest for Component {
                fn handle(
                    batch: $crate::bindings::agent::wasmill::plugin::records::Batch,
                ) -> ::std::result::Result<(), $crate::bindings::agent::exports::wasmill::plugin::agent::Failure>
                {
                    SHELL.with(|shell| shell.handle(batch))
                }

                fn idle() -> ::std::result::Result<(), $crate::Error> {
                    SHELL.with(|shell| shell.idle())
                }
            }

    $crate::bindings::agent::export_agent!(Component with_types_in $crate::bindings::agent);
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(topic: &str, names: &[&str]) -> records::Batch {
        let column = |rows: &[&str]| {
            let ends = rows.iter().scan(0, |end, row| {
                *end += row.len() as u32;
                Some(*end)
            });
            records::Column { bytes: rows.concat().into_bytes(), ends: ends.collect() }
        };
        records::Batch {
            topic: topic.into(),
            partition: 0,
            offsets: (0..names.len() as u64).collect(),
            timestamps_ms: vec![5; names.len()],
            keys: column(names),
            key_present: vec![],
            values: column(names),
            value_present: vec![],
            headers: None,
        }
    }

    /// Fails at everything, and says at what.
    #[derive(Default)]
    struct Telling;

    impl Agent for Telling {
        fn handle(&mut self, batch: &Batch, _: &mut Outbox) -> Result<(), Failure> {
            Err(format!("{} records", batch.len()).into())
        }

        fn timer(&mut self, timer: &Record<'_>, _: &mut Outbox) -> Result<(), Failure> {
            if timer.key_str() == Some("good") { Ok(()) } else { Err("timer".into()) }
        }

        fn cron(&mut self, cron: &Record<'_>, _: &mut Outbox) -> Result<(), Failure> {
            Err(format!("cron {:?}", cron.timestamp_ms()).into())
        }
    }

    #[test]
    fn what_fires_comes_to_its_own_method_and_the_row_that_failed_is_named() {
        let shell = Shell::<Telling>::default();
        for (topic, row, message) in
            [("t", 0, "2 records"), ("wasmill.timer", 1, "timer"), ("wasmill.cron", 0, "cron Some(5)")]
        {
            let failure = shell.handle(batch(topic, &["good", "bad"])).unwrap_err();
            assert_eq!((failure.row, failure.reason.message()), (row, message), "{topic}");
        }
    }

    #[derive(Default)]
    struct Plain;

    impl Agent for Plain {
        fn handle(&mut self, _: &Batch, _: &mut Outbox) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[test]
    fn an_agent_without_the_method_says_what_fired_for_nobody() {
        for topic in ["wasmill.timer", "wasmill.cron"] {
            let failure = Shell::<Plain>::default().handle(batch(topic, &["tea"])).unwrap_err();
            assert_eq!((failure.reason.code(), failure.retry), ("agent.unexpected", false));
            assert!(failure.reason.message().contains("`tea`"));
        }
    }
}
