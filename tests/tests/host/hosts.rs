//! Two hosts on one Kafka and one PostgreSQL: who runs what, and what becomes of it when one of them dies.

use std::collections::BTreeSet;

use serde_json::Value;
use wasmill::home::{Home, instance_of};
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::postgres::Postgres;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use super::feed::UPPER_MAY;

const PARTITIONS: u32 = 4;

/// A home with `upper` that shares log and database. `None` where the plugin is not built.
fn home(kafka: &Kafka, postgres: &Postgres) -> Option<Cli> {
    let cli = Cli::new();
    let (broker, url) = (kafka.address(), postgres.url());
    let settings = format!(
        "[streams]\nbrokers = [\"{broker}\"]\n[streams.properties]\n\"session.timeout.ms\" = \"6000\"\n\
         [store]\nurl = \"{url}\"\n"
    );
    cli.write("home/host.toml", settings);
    cli.allow(UPPER_MAY);
    cli.install("upper")?;
    Some(cli)
}

/// What `host list` says of one home's host.
fn row<'l>(list: &'l Value, cli: &Cli) -> Option<&'l Value> {
    let instance = instance_of(&Home::open(&cli.home()).unwrap());
    list.as_array().unwrap().iter().find(|host| host["instance"] == *instance)
}

/// The partitions of `lower` that a host has.
fn partitions(host: &Value) -> BTreeSet<u64> {
    let topics = host["agents"][0]["topics"].as_array().into_iter().flatten();
    let lower = topics.filter(|topic| topic["topic"] == "lower");
    lower.flat_map(|topic| topic["partitions"].as_array().unwrap()).map(|number| number.as_u64().unwrap()).collect()
}

/// Asks until the list is as it must become.
fn list_until(cli: &Cli, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut list = Value::Null;
    let became = until(PATIENCE, || {
        list = cli.run(&["host", "list"]).json();
        is_so(&list)
    });
    assert!(became, "{list:#}");
    list
}

#[test]
fn hosts_share_partitions_and_a_dead_one_is_seen_and_taken_over() {
    let (Some(kafka), Some(postgres)) = (Kafka::start(), Postgres::start()) else { return };
    let Some(one) = home(&kafka, &postgres) else { return };
    let other = one.copy().unwrap();
    for topic in ["lower", "upper"] {
        one.run(&["topic", "create", topic, "--partitions", &PARTITIONS.to_string()]).expect_code(0);
    }
    let all: BTreeSet<u64> = (0..u64::from(PARTITIONS)).collect();
    let first = Up::start(&one);
    // Alone it has everything, and the list is the same from a home whose host is not up.
    list_until(&other, |list| row(list, &one).is_some_and(|host| partitions(host) == all));
    let second = Up::start(&other);
    let shared = list_until(&one, |list| {
        let (Some(a), Some(b)) = (row(list, &one), row(list, &other)) else { return false };
        let (a, b) = (partitions(a), partitions(b));
        !a.is_empty() && !b.is_empty() && a.is_disjoint(&b) && &a | &b == all
    });
    for cli in [&one, &other] {
        let host = row(&shared, cli).unwrap();
        assert_eq!((&host["state"], &host["agents"][0]["agent"]), (&"up".into(), &"upper@0.1.0".into()), "{host:#}");
        assert_eq!(host["agents"][0]["state"], "running", "{host:#}");
    }

    // Records are handled, and no lag is left on either.
    let lines: String = (0..100).map(|n| format!("{n}\n")).collect();
    one.run_with_input(&["record", "send", "lower"], lines.as_bytes()).expect_code(0);
    list_until(&one, |list| {
        let lag = |cli| row(list, cli).map(|host| host["agents"][0]["topics"][0]["lag"].clone());
        lag(&one) == Some(0.into()) && lag(&other) == Some(0.into())
    });

    second.kill();
    let taken = list_until(&one, |list| {
        let (Some(a), Some(b)) = (row(list, &one), row(list, &other)) else { return false };
        partitions(a) == all && b["state"] == "silent"
    });
    let dead = row(&taken, &other).unwrap();
    assert!(!partitions(dead).is_empty(), "what it had is still said: {dead:#}");
    let text = one.run(&["host", "list", "--output", "human"]).expect_code(0).stdout;
    assert!(text.contains("silent for") && text.contains("upper@0.1.0") && text.contains("0-3"), "{text}");

    // It comes back as the same host, and goes in order.
    let second = Up::start(&other);
    list_until(&one, |list| {
        list.as_array().unwrap().len() == 2 && row(list, &other).is_some_and(|b| b["state"] == "up")
    });
    drop(second);
    list_until(&one, |list| row(list, &other).is_none());
    drop(first);
    assert_eq!(one.run(&["host", "list"]).json(), Value::Array(vec![]));
}
