//! Agents that an agent has started: they work below it, on every host, and never above it.

use std::time::{Duration, Instant};

use serde_json::json;
use wasmill::capabilities::agents::{self, Started};
use wasmill::runtime::bindings::agents::AgentSpec;
use wasmill_tests::scratch::{PATIENCE, Running, Scratch, component, manifest};

/// `evil-agent` may start `relay`, and what it starts may send to `relay.out`.
pub const MAY: &str = "privileged = []\n[[row]]\nprincipal = \"agent:evil-agent\"\n\
    topics.read = [\"evil.attacks\", \"relay.in\"]\ntopics.write = [\"evil.results\", \"relay.out\"]\n\
    topics.create = [\"evil.*\"]\ntools = [\"evil-agent.*\"]\nforge = [\"rust\"]\nstate = true\ntimers = true\n\
    agents = [\"none\", \"relay\"]\n\
    [[row]]\nprincipal = \"agent:evil-agent.*\"\ntopics.read = [\"relay.in\"]\ntopics.write = [\"relay.*\"]\n";

/// Topics that they use.
pub const TOPICS: [&str; 5] = ["evil.attacks", "evil.results", "relay.in", "relay.out", "relay.other"];

async fn scratch() -> Scratch {
    let scratch = Scratch::new(MAY).await.unwrap();
    scratch.install_bytes(&component("evil-agent").unwrap(), &maker(manifest("evil-agent").unwrap())).unwrap();
    scratch.install("relay").unwrap();
    scratch.topics(&TOPICS).await.unwrap();
    scratch
}

/// The manifest of `evil-agent` as one that starts `relay`.
pub fn maker(manifest: String) -> String {
    manifest
        .replace("agents = [\"none\"]", "agents = [\"none\", \"relay\"]")
        .replace("read = [\"evil.attacks\"]", "read = [\"evil.attacks\", \"relay.in\"]")
        .replace("write = [\"evil.results\"]", "write = [\"evil.results\", \"relay.*\"]")
        .replace("create = [\"evil.results\"]", "create = [\"evil.*\"]")
}

async fn start(scratch: &Scratch, name: &str, to: &str) {
    let attack = json!({ "attack": "start", "name": name, "to": to }).to_string();
    scratch.send("evil.attacks", &[&attack]).await.unwrap();
}

/// Waits until what a host says of an agent contains this.
async fn until(running: &Running, agent: &str, says: &str) {
    let began = Instant::now();
    loop {
        let status: Vec<_> =
            running.host.supervisor.status().into_iter().filter(|s| s.agent.starts_with(agent)).collect();
        let snapshot = running.host.catalog.snapshot();
        let refused: Vec<_> = snapshot.refused.iter().filter(|refused| refused.component == agent).collect();
        let shown = format!("{status:?} {refused:?}");
        if shown.contains(says) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{agent}: {shown}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_agent_works_on_every_host_outlives_restarts_and_ends_when_it_is_stopped() {
    let scratch = scratch().await;
    let one = scratch.run().await.unwrap();
    let two = scratch.run().await.unwrap();
    start(&scratch, "night", "relay.out").await;
    for host in [&one, &two] {
        until(host, "evil-agent.night@0.1.0", "Running").await;
    }
    scratch.send("relay.in", &["a"]).await.unwrap();
    scratch.wait_for("relay.out", 1).await.unwrap();
    one.stop().await.unwrap();
    two.stop().await.unwrap();

    let again = scratch.run().await.unwrap();
    scratch.send("relay.in", &["b"]).await.unwrap();
    let out = scratch.wait_for("relay.out", 2).await.unwrap();
    assert_eq!((out.value(0), out.value(1)), (Some(&b"a"[..]), Some(&b"b"[..])));
    // Nothing of its own has changed: it goes on through every new decision.
    let before = again.host.catalog.snapshot();
    let after = again.host.catalog.refresh().await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&before.agents["evil-agent.night"], &after.agents["evil-agent.night"]));

    scratch.send("evil.attacks", &[&json!({ "attack": "stop" }).to_string()]).await.unwrap();
    let began = Instant::now();
    while again.host.catalog.snapshot().agents.contains_key("evil-agent.night") {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    again.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_agent_never_may_more_than_its_maker() {
    let scratch = scratch().await;
    let running = scratch.run().await.unwrap();
    // Its own row and its component allow it to send there; its maker may not.
    start(&scratch, "beyond", "relay.other").await;
    until(&running, "evil-agent.beyond@0.1.0", "Running").await;
    scratch.send("relay.in", &["a"]).await.unwrap();
    let dead = scratch.wait_for("relay.in.dlq", 1).await.unwrap();
    let reason = dead.headers.as_ref().unwrap().of(0).find(|(name, _)| *name == b"wasmill-dlq-reason").unwrap().1;
    let reason = String::from_utf8_lossy(reason);
    assert!(reason.contains("may not write topic relay.other") && reason.contains("agent:evil-agent"), "{reason}");

    // What the maker loses, it loses.
    let file = scratch.dir.path().join("permissions.toml");
    std::fs::write(&file, MAY.replace("\"none\", \"relay\"", "\"none\"")).unwrap();
    until(&running, "evil-agent.beyond", "agent:evil-agent may not start agent relay").await;
    std::fs::write(&file, MAY).unwrap();
    until(&running, "evil-agent.beyond@0.1.0", "Running").await;
    running.stop().await.unwrap();
}

/// Who can write to the topic itself gets no more than the makers have.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_entry_starts_nothing_that_its_maker_may_not_start() {
    let scratch = scratch().await;
    scratch.install("upper").unwrap();
    let running = scratch.run().await.unwrap();
    start(&scratch, "night", "relay.out").await;
    until(&running, "evil-agent.night@0.1.0", "Running").await;
    let entry = |maker: &str, component: &str| Started {
        maker: maker.to_owned().into(),
        component: component.into(),
        reads: vec!["relay.in".into()],
        settings: Default::default(),
    };
    let record = |name: &str, started: &Started| wasmill::streams::Record {
        key: Some(name.as_bytes().to_vec()),
        value: Some(serde_json::to_vec(started).unwrap()),
        ..Default::default()
    };
    let forged = vec![
        record("evil-agent.upper", &entry("evil-agent", "upper")),
        record("upper.night", &entry("upper", "relay")),
        record("nobody.night", &entry("nobody", "relay")),
    ];
    scratch.streams().append("wasmill.agents", forged).await.unwrap();
    until(&running, "evil-agent.upper", "may not start agent upper").await;
    until(&running, "nobody.night", "its maker `nobody` is not at work").await;
    until(&running, "upper.night", "can't work").await;
    running.stop().await.unwrap();
}

/// An agent and a client of one name share the names below it, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_does_not_stop_what_a_client_of_its_name_has_started() {
    let scratch = scratch().await;
    let rows = "[[row]]\nprincipal = \"client:evil-agent\"\nagents = [\"relay\"]\ntopics.read = [\"relay.in\"]\n";
    std::fs::write(scratch.dir.path().join("permissions.toml"), format!("{MAY}{rows}")).unwrap();
    let host = scratch.open().await.unwrap();
    let services = host.catalog.services();
    let wanted =
        AgentSpec { name: "night".into(), component: "relay".into(), reads: vec!["relay.in".into()], settings: vec![] };
    let client = host.client("evil-agent").identity;
    assert_eq!(agents::start(&client, services, wanted).await.unwrap(), ("evil-agent.night".to_owned(), true));
    let agent = host.catalog.snapshot().agents["evil-agent"].identity.clone();
    assert!(!agents::stop(&agent, services, "night").await.unwrap(), "it is the client's");
    assert!(agents::stop(&client, services, "night").await.unwrap());
}
