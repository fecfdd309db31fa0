//! What belongs to others: tools, models, topics.

use wasmill_sdk::model::{self, Message, Request, Role};
use wasmill_sdk::{Failure, Outbox, tools, topics};

use crate::{Attack, Case};

pub const ATTACKS: &[Attack] = &[
    Attack { name: "tool", must: "Calling the tool `tool`, which no row grants, is `denied`.", run: tool },
    Attack { name: "model", must: "Asking the model `model`, which no row grants, is `denied`.", run: ask },
    Attack { name: "model-size", must: "A conversation of 10,000 messages is refused with `invalid`.", run: long_talk },
    Attack {
        name: "create-topic",
        must: "Creating the topic `topic`, which no row grants, is `denied`.",
        run: create_topic,
    },
    Attack { name: "topic-names", must: "No odd name becomes a topic: the result is an empty list.", run: topic_names },
    Attack {
        name: "many-partitions",
        must: "A topic of 4,294,967,295 partitions is refused with `invalid` or `denied`.",
        run: partitions,
    },
];

fn tool(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(tools::call(case.text("tool", "evil"), "echo", "{}")?)
}

fn request(model: &str, messages: usize) -> Request {
    let message = Message { role: Role::User, content: "Who are you?".to_owned() };
    Request {
        model: Some(model.to_owned()),
        messages: vec![message; messages],
        max_tokens: Some(1),
        temperature_milli: None,
    }
}

fn ask(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(model::complete(&request(case.text("model", "forbidden"), 1))?.content)
}

fn long_talk(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(model::complete(&request(case.text("model", "allowed"), 10_000))?.content)
}

fn create_topic(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(format!("created: {}", topics::create(case.text("topic", "evil.new"), 1)?))
}

fn topic_names(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let huge = "x".repeat(250);
    let hosts = ["wasmill.state.upper", "wasmill.timer", "wasmill.timer.dlq", "wasmill.cron", "__consumer_offsets"];
    let odd = ["", ".", "..", "a/b", "a b", "a\0b", "ü", &huge].into_iter().chain(hosts).collect::<Vec<_>>();
    Ok(format!("{:?}", odd.iter().filter(|name| topics::create(name, 1).is_ok()).collect::<Vec<_>>()))
}

fn partitions(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(format!("created: {}", topics::create("evil.wide", u32::MAX)?))
}
