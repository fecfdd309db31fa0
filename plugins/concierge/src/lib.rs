//! Talks with clients: tells them what they said, by the numbers. It needs no model.
//!
//! What a batch sends becomes visible when the batch is committed. So that a client sees the tool being called before
//! the answer is there, a message takes two steps: the first shows the call and sends the message on to
//! `concierge.steps`; the second calls, and answers. Either step is done once, whatever fails.

use wasmill_sdk::conversation::Message;
use wasmill_sdk::serde_json::{Value, json};
use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, Record, json, tools};

/// Topic of messages whose tool call was shown.
const STEPS: &str = "concierge.steps";
/// The tool that is asked, and how it is shown.
const TOOL: (&str, &str, &str) = ("text-metrics", "count", "text-metrics/count");

#[derive(Default)]
struct Concierge;

impl Agent for Concierge {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        for record in batch {
            let message = Message::read(&record)?;
            // Who reads what it writes must not answer itself.
            if message.role != "user" {
                continue;
            }
            if batch.topic() == STEPS {
                answer(batch, &record, &message, out)?
            } else {
                show(batch, &record, &message, out)?
            }
        }
        Ok(())
    }
}

wasmill_sdk::agent!(Concierge);

/// Shows the call that comes next.
fn show(batch: &Batch, record: &Record<'_>, message: &Message, out: &mut Outbox) -> Result<(), Error> {
    message.answers(batch, record).calling(out, TOOL.2, &arguments(message))?;
    out.send(STEPS, Some(message.session.as_bytes()), record.value())
}

/// Calls, and answers.
fn answer(batch: &Batch, record: &Record<'_>, message: &Message, out: &mut Outbox) -> Result<(), Error> {
    let called = tools::call(TOOL.0, TOOL.1, &arguments(message).to_string());
    // What may be better later is tried again.
    if let Err(error @ Error::Unavailable(_)) = called {
        return Err(error);
    }
    let mut answers = message.answers(batch, record);
    answers.called(out, TOOL.2, &called)?;
    match called {
        Ok(counts) => answers.say(out, &sentence(&json::parse(&counts)?)),
        Err(error) => answers.say(out, &format!("I can't count that now: {}", error.message())),
    }
}

fn arguments(message: &Message) -> Value {
    json!({ "text": message.text })
}

fn sentence(counts: &Value) -> String {
    let many = |name: &str, one: &str| match counts[name].as_u64().unwrap_or_default() {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    format!("That was {} in {}.", many("words", "word"), many("characters", "character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(sentence(&json!({ "words": 1, "characters": 5 })), "That was 1 word in 5 characters.");
        assert_eq!(sentence(&json!({ "words": 2, "characters": 1 })), "That was 2 words in 1 character.");
    }
}
