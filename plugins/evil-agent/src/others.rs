//! What belongs to others: tools, models, topics.

use wasmill_sdk::model::{self, Message, Request, Role};
use wasmill_sdk::topics::Settings;
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
        must: "A topic of `partitions` partitions, 4,294,967,295 where nothing is said, is refused with `invalid`, `limit` or `denied`.",
        run: partitions,
    },
    Attack {
        name: "retention",
        must: "A topic that keeps records for ever meets `limit` at `topic_hours`.",
        run: retention,
    },
    Attack { name: "many-topics", must: "10,000 topics meet `limit` at `topics_made`.", run: many_topics },
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
    let hosts = [
        "wasmill.state.upper",
        "wasmill.timer",
        "wasmill.timer.dlq",
        "wasmill.cron",
        "wasmill.agents",
        "__consumer_offsets",
    ];
    let odd = ["", ".", "..", "a/b", "a b", "a\0b", "ü", &huge].into_iter().chain(hosts).collect::<Vec<_>>();
    Ok(format!("{:?}", odd.iter().filter(|name| topics::create(name, 1).is_ok()).collect::<Vec<_>>()))
}

fn retention(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let for_ever = Settings { partitions: 1, retention_ms: Some(u64::MAX), compacted: false };
    Ok(format!("created: {}", topics::create_with("evil.long", for_ever)?))
}

fn many_topics(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    for number in 0..10_000 {
        topics::create(&format!("evil.many-{number}"), 1)?;
    }
    Ok("10000 topics".to_owned())
}

fn partitions(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let partitions = case.number("partitions", u64::from(u32::MAX)) as u32;
    Ok(format!("created: {}", topics::create("evil.wide", partitions)?))
}
