//! Sends back what it was told, at the time it was told.
//!
//! A record of `reminders` has a name as its key, and milliseconds and a text as its value: `60000 the tea is ready`. So
//! long after it was handled, the text goes to `reminders.due` with the same key. Another record of that key changes it,
//! one without a value takes it back.

use std::time::Duration;

use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, Record, timers};

/// Topic that everything due goes to.
const DUE: &str = "reminders.due";

#[derive(Default)]
struct Reminder;

impl Agent for Reminder {
    fn handle(&mut self, batch: &Batch, _: &mut Outbox) -> Result<(), Failure> {
        for record in batch {
            let name =
                record.key_str().ok_or_else(|| Error::invalid("reminder.name", "a reminder has a name, as key"))?;
            if record.value().is_none() {
                timers::cancel(name)?;
                continue;
            }
            let (delay, text) = parse(record.value_str().unwrap_or_default())?;
            timers::after(name, delay, text)?;
        }
        Ok(())
    }

    fn timer(&mut self, timer: &Record<'_>, out: &mut Outbox) -> Result<(), Failure> {
        Ok(out.send(DUE, timer.key(), timer.value())?)
    }

    fn cron(&mut self, cron: &Record<'_>, out: &mut Outbox) -> Result<(), Failure> {
        let began = cron.timestamp_ms().unwrap_or_default().to_string();
        Ok(out.send(DUE, cron.key(), Some(began.as_bytes()))?)
    }
}

wasmill_sdk::agent!(Reminder);

fn parse(text: &str) -> Result<(Duration, &str), Error> {
    let (ms, text) = text.split_once(' ').unwrap_or((text, ""));
    let ms = ms.parse().map_err(|_| {
        Error::invalid("reminder.delay", format!("{ms:?} are no milliseconds")).with_next("Write `60000 some text`.")
    })?;
    Ok((Duration::from_millis(ms), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_comes_before_the_text() {
        assert_eq!(parse("60000 the tea is ready").unwrap(), (Duration::from_secs(60), "the tea is ready"));
        assert_eq!(parse("5").unwrap(), (Duration::from_millis(5), ""));
        assert_eq!(parse("soon").unwrap_err().code(), "reminder.delay");
    }
}
