//! A host that dies in the middle of runs: they end as if nothing had happened, and nothing answered is asked again.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::postgres::Postgres;
use wasmill_tests::replay::{Recorded, Replay};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::hall::Hall;

/// Gets a path through the tool `evil-http`.
fn by_tool(hall: &Hall, path: &str) -> Value {
    json!({ "call": ["evil-http", "fetch", { "url": hall.service.url(path) }] })
}

fn killed_in_mid_run(settings: &str, slow: Duration, die: fn(&mut Hall)) {
    let Some(mut hall) = Hall::start(settings, |manifest| manifest) else { return };
    let (random, time) = (json!({ "random": 0 }), json!({ "time": 0 }));
    let steps = json!([
        hall.get("/first"),
        by_tool(&hall, "/by-tool"),
        random,
        time,
        { "count": "n" },
        hall.get("/gate/agent"),
        random,
        by_tool(&hall, "/gate/tool"),
        time,
        { "count": "n" },
        hall.get("/last")
    ]);
    hall.send("slow", steps);
    hall.service.wait("/gate/agent", 1);
    // Behind it in the same partition, with another key: done, and waiting for its place.
    hall.send("quick", json!([hall.get("/quick"), random, { "count": "m" }]));
    let quick = hall.run_of("quick", "finished");
    // Longer than a member of the group may be silent, where there is such a time.
    std::thread::sleep(slow);
    assert_eq!(hall.service.times("/gate/agent"), 1, "a slow run costs no partition");
    die(&mut hall);
    hall.service.wait("/gate/agent", 2);
    hall.service.open("agent");
    hall.service.wait("/gate/tool", 1);
    hall.kill();
    hall.up();
    hall.service.wait("/gate/tool", 2);
    hall.service.open("tool");

    let done = hall.done(2);
    assert_eq!((done[0].0.as_str(), done[1].0.as_str()), ("slow", "quick"), "offsets in order");
    let service = &hall.service;
    for path in ["/first", "/by-tool", "/quick", "/last"] {
        assert_eq!(service.times(path), 1, "{path} was asked once");
    }
    for path in ["/gate/agent", "/gate/tool"] {
        let keys = service.keys(path);
        assert!(keys.len() >= 2 && keys.iter().all(|key| *key == keys[0]), "{path} is asked under its key: {keys:?}");
    }
    let keys: BTreeSet<String> = service.all().into_iter().map(|seen| seen.key.unwrap()).collect();
    assert_eq!(keys.len(), 6, "each call has a key of its own");
    let slow = &done[0].1;
    assert_eq!((&slow[4], &slow[9]), (&json!(1), &json!(2)), "state of an attempt that died is gone");
    assert_ne!(slow[2], slow[6], "random numbers differ");
    // The finished one was not done otherwise.
    let run = hall.run_of("quick", "done");
    assert_eq!((&run["outputs"], &run["id"]), (&quick["outputs"], &quick["id"]));
    let run = hall.run_of("slow", "done");
    assert!(run["turns"].as_u64() >= Some(3), "{run}");
    let asked = service.all().len();
    let replayed = hall.order("replay", &run);
    assert_eq!(replayed["is_same"], true, "{replayed:#}");
    assert_eq!(service.all().len(), asked, "a replay asks nobody");
}

#[test]
fn a_model_that_was_asked_when_the_host_died_is_asked_again_under_the_same_key() {
    let server = Replay::start(Recorded::Silence).unwrap();
    let settings = format!("[model]\nurl = \"{}\"\nmodel = \"m\"\n", server.url());
    let Some(mut hall) = Hall::start(&settings, |manifest| manifest) else { return };
    hall.send("k", json!([hall.get("/paid"), { "ask": "Why?" }, { "ask": "And then?" }]));
    assert!(until(PATIENCE, || !server.questions().is_empty()));
    hall.kill();
    server.replay(Recorded::Answer("because".into()));
    hall.up();
    assert_eq!(hall.done(1)[0].1, json!(["1", "because", "because"]));
    assert_eq!(hall.service.times("/paid"), 1);
    let keys: Vec<String> = server.questions().into_iter().map(|question| question.idempotency_key.unwrap()).collect();
    assert_eq!((keys.len(), &keys[0]), (3, &keys[1]));
    assert_ne!(keys[1], keys[2]);
}

/// What a recorded answer takes: 9 tokens in, 12 out.
#[test]
fn an_answer_out_of_the_journal_is_not_paid_for_again() {
    let server = Replay::start(Recorded::Answer("because".into())).unwrap();
    let settings = format!("[model]\nurl = \"{}\"\nmodel = \"m\"\n", server.url());
    let Some(mut hall) = Hall::start(&settings, |manifest| manifest) else { return };
    hall.send("k", json!([{ "ask": "Why?" }, hall.get("/gate/agent")]));
    hall.service.wait("/gate/agent", 1);
    hall.kill();
    hall.up();
    hall.service.wait("/gate/agent", 2);
    hall.service.open("agent");
    hall.done(1);
    let replayed = hall.order("replay", &hall.run_of("k", "done"));
    assert_eq!(replayed["is_same"], true, "{replayed:#}");
    assert_eq!(server.questions().len(), 1);
    let usage = hall.cli.run(&["model", "usage"]).json();
    assert_eq!((&usage["uses"][0]["calls"], &usage["uses"][0]["prompt_tokens"]), (&json!(1), &json!(9)), "{usage}");
    assert_eq!(usage["today"], json!([{ "principal": "agent:stepper", "tokens": 21, "cost_micros": 0 }]));
}

#[test]
fn on_sqlite_and_the_embedded_log() {
    killed_in_mid_run("", Duration::ZERO, |hall| {
        hall.kill();
        hall.up();
    });
}

/// The first time another host takes over, the second time the host itself comes back.
#[test]
fn on_postgresql_and_kafka() {
    let (Some(postgres), Some(kafka)) = (Postgres::start(), Kafka::shared()) else { return };
    let settings = format!(
        "[store]\nurl = \"{}\"\n[streams]\nbrokers = [\"{}\"]\ninstance = \"runs\"\n\
         [streams.properties]\n\"session.timeout.ms\" = \"6000\"\n\"max.poll.interval.ms\" = \"6000\"\n",
        postgres.url(),
        kafka.address()
    );
    killed_in_mid_run(&settings, Duration::from_secs(9), Hall::kill_beside_another);
}
