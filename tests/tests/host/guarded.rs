//! A host on a broker that checks access rules: with exactly the exported ones it works, with one less it says so.

use serde_json::{Value, json};
use wasmill_tests::acls::Acls;
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::{Kafka, PASSWORD, USER};
use wasmill_tests::up::Up;

const MAY: &str = "privileged = []\n[[row]]\nprincipal = \"agent:evil-agent\"\ntopics.read = [\"evil.attacks\"]\n\
    topics.write = [\"evil.results\"]\ntopics.create = [\"evil.results\"]\ntools = [\"evil-agent.*\"]\n\
    forge = [\"rust\"]\nagents = [\"none\"]\nstate = true\ntimers = true\n\
    [[row]]\nprincipal = \"client:cli\"\ntopics.read = [\"*\"]\ntopics.write = [\"*\"]\n";

/// A home whose host logs in by a password, and that of the broker's admin.
fn homes(kafka: &Kafka) -> (Cli, Cli) {
    let host = Cli::new();
    let settings = format!(
        "[streams]\nbrokers = [\"{}\"]\n[streams.security]\nkind = \"sasl\"\nmechanism = \"scram-sha-256\"\n\
         username = \"{USER}\"\npassword_secret = \"KAFKA\"\n[streams.properties]\n\"session.timeout.ms\" = \"6000\"\n",
        kafka.sasl_address()
    );
    host.write("home/host.toml", settings);
    host.write("home/secrets.toml", format!("KAFKA = \"{PASSWORD}\"\n"));
    host.write("home/permissions.toml", MAY);
    let admin = Cli::new();
    admin.write("home/host.toml", format!("[streams]\nbrokers = [\"{}\"]\n", kafka.address()));
    (host, admin)
}

/// The exported rules.
fn exported(cli: &Cli) -> Vec<Value> {
    let rules = cli.run(&["permission", "export", "--kafka"]).json()["rules"].as_array().unwrap().clone();
    rules.into_iter().filter(|rule| rule["principal"] == format!("User:{USER}")).collect()
}

/// Levels and words of everything that doctor says of the rules.
fn said(cli: &Cli, check: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&cli.run(&["doctor"]).stdout).unwrap();
    let found = report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check);
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    found.map(|finding| (text(finding, "level"), text(finding, "says"))).collect()
}

fn attack(cli: &Cli, value: &str) {
    cli.run(&["record", "send", "evil.attacks", value, "--key", "k"]).expect_code(0);
}

fn read(cli: &Cli, topic: &str, count: &str) -> Vec<Value> {
    cli.run(&["record", "tail", topic, "--count", count]).json_lines()
}

#[test]
fn a_host_works_with_exactly_the_exported_rules_and_says_which_one_is_missing() {
    let Some(kafka) = Kafka::start_guarded() else { return };
    let Some(acls) = Acls::of(&kafka) else { return };
    let (host, admin) = homes(&kafka);
    let Some(()) = host.install("evil-agent") else { return };
    for topic in ["evil.attacks", "evil.results"] {
        admin.run(&["topic", "create", topic]).expect_code(0);
    }
    assert!(said(&admin, "kafka.acls")[0].1.contains("everything"), "a super user needs no rules");

    // Without any rule even the rules are not shown.
    let [(level, says)] = &said(&host, "kafka.acls")[..] else { panic!() };
    assert!(level == "warn" && says.contains("Describe on the cluster"), "{says}");
    let rules = exported(&host);
    acls.add(&rules);
    assert_eq!(said(&host, "kafka.acls")[0].0, "ok", "{:?}", said(&host, "kafka.acls"));

    let up = Up::start(&host);
    host.status_until(|status| status["agents"][0]["state"] == "running");
    let count = json!({ "attack": "state-count" }).to_string();
    for value in [&count, "this is no JSON", &count] {
        attack(&admin, value);
    }
    let results = read(&admin, "evil.results", "2");
    let last: Value = serde_json::from_str(results[1]["value"].as_str().unwrap()).unwrap();
    assert_eq!(last["result"].to_string().trim_matches('"'), "2", "state is kept: {results:?}");
    let letters = read(&admin, "evil.attacks.dlq", "1");
    assert_eq!(letters[0]["value"], "this is no JSON");
    let waiting = host.run(&["dlq", "list", "evil.attacks"]).json();
    assert_eq!(waiting.as_array().unwrap().len(), 1, "{waiting:#}");
    assert_eq!(host.run(&["dlq", "redrive", "evil.attacks"]).json()["records"], 1);
    read(&admin, "evil.attacks.dlq", "2");
    drop(up);
    assert!(!said(&host, "agent evil-agent").is_empty());

    // One rule less, each of another kind: the host says what it is kept from, and doctor which rule it is.
    for (missing, words) in [
        (("transactional-id", "Write", "wasmill-wasmill.evil-agent-"), "transactions"),
        (("group", "Read", "wasmill.evil-agent"), "a consumer group"),
        (("topic", "Read", "evil.attacks"), "evil.attacks"),
        (("topic", "Write", "evil.results"), "evil.results"),
        (("topic", "Write", "wasmill.state.evil-agent"), "wasmill.state.evil-agent"),
    ] {
        let is_it = |rule: &&Value| {
            (rule["resource"] == missing.0) && (rule["operation"] == missing.1) && (rule["name"] == missing.2)
        };
        let rule: Vec<Value> = rules.iter().filter(is_it).cloned().collect();
        assert_eq!(rule.len(), 1, "{missing:?}");
        acls.remove(&rule);
        let up = Up::start(&host);
        attack(&admin, &count);
        let status = host.status_until(|status| {
            let reason = status["agents"][0]["reason"].as_str().unwrap_or_default();
            reason.contains("Kafka's ACLs keep this host from") && reason.contains(words)
        });
        assert_eq!(status["agents"][0]["dead_letters"], 0, "it is no record's fault: {status:#}");
        drop(up);
        let [(level, says)] = &said(&host, "kafka.acls")[..] else { panic!() };
        assert!(level == "fail" && says.contains(missing.1) && says.contains(missing.2), "{says}");
        assert_eq!(says.matches(" on ").count(), 1, "only the missing one is named: {says}");
        acls.add(&rule);
    }

    // What nothing asks for is drift too; what the rows for clients would need is not.
    let rule = |operation: &str, name: &str| {
        let mut rule = rules.iter().find(|rule| rule["resource"] == "topic").unwrap().clone();
        for (key, value) in [("operation", operation), ("name", name), ("pattern", "literal")] {
            rule[key] = value.into();
        }
        rule
    };
    acls.add(&[rule("Delete", "evil.results"), rule("Read", "anything")]);
    let [(level, says)] = &said(&host, "kafka.acls")[..] else { panic!() };
    assert!(level == "warn" && says.contains("Delete on topic evil.results") && !says.contains("anything"), "{says}");
}
