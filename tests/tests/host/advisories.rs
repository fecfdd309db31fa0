//! What an admin has warned of runs no more, on any host, and nothing but an admin's newer word brings it back.

use std::time::Duration;

use serde_json::json;
use wasmill::advisories::{Admitted, Advisories};
use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill::host::Host;
use wasmill::host::advisories::Warnings;
use wasmill_registry::{About, Advisory, Digest, Says, SecretKey, Severity};
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::{Scratch, component, denials, until};

const MATRIX: &str = "[[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n\
    [[row]]\nprincipal = \"client:ada\"\ntools = [\"*\"]\n";

fn versions(name: &str, versions: &str) -> Option<About> {
    Some(About::Component { name: name.into(), versions: versions.parse().unwrap() })
}

/// The answer of a tool, or code and message of the error.
async fn count(host: &Host) -> Result<String, (String, String)> {
    let arguments = json!({ "text": "a b" }).to_string();
    let call = Invocation { tool: "text-metrics".into(), function: "count".into(), arguments };
    host.toolbox.call(&host.client("ada"), call).await.map_err(|error| {
        let problem = problem(&error);
        (problem.code, problem.message)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_stopped_and_the_error_names_the_advisory_until_it_is_over() {
    let (Some(_), Some(_)) = (require(parts::plugin("upper")), require(parts::plugin("text-metrics"))) else { return };
    let scratch = Scratch::new(MATRIX).await.unwrap();
    scratch.install("upper").unwrap();
    scratch.install("text-metrics").unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    let host = &running.host;
    scratch.send("lower", &["one"]).await.unwrap();
    scratch.wait_for("upper", 1).await.unwrap();
    assert!(count(host).await.is_ok());

    scratch.advise("other", 1, versions("text-metrics", "<0.0.1"), false).unwrap();
    let digest = Digest::of(&component("text-metrics").unwrap());
    scratch.advise("bad-tool", 1, Some(About::Digest(digest)), false).unwrap();
    scratch.advise("bad-agent", 1, versions("upper", "*"), false).unwrap();
    until("the agent goes on", async || !host.catalog.snapshot().agents.contains_key("upper")).await;
    let (code, message) = count(host).await.unwrap_err();
    assert_eq!(code, "tool.refused");
    for part in
        ["quarantined by advisory bad-tool (high)", "it is bad", "its digest is", "wasmill advisory remove bad-tool"]
    {
        assert!(message.contains(part), "{message}");
    }
    until("its worker goes on", async || host.supervisor.status().is_empty()).await;
    scratch.send("lower", &["two"]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(scratch.wait_for("upper", 1).await.unwrap().len(), 1, "nothing handles it meanwhile");
    let denied = denials(host).await.unwrap();
    assert!(denied.iter().any(|detail| detail.contains("component.quarantined: upper@")), "{denied:?}");

    assert_eq!(scratch.advise("bad-tool", 1, None, false).unwrap(), Admitted::Known, "an old word ends nothing");
    scratch.advise("bad-tool", 2, None, false).unwrap();
    scratch.advise("bad-agent", 2, None, false).unwrap();
    until("the tool stays away", async || count(host).await.is_ok()).await;
    scratch.wait_for("upper", 2).await.unwrap();
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_tool_an_older_version_goes_on_and_of_an_agent_none_does() {
    let (Some(_), Some(_)) = (require(parts::plugin("upper")), require(parts::plugin("text-metrics"))) else { return };
    let scratch = Scratch::new(MATRIX).await.unwrap();
    for plugin in ["upper", "text-metrics"] {
        scratch.install(plugin).unwrap();
        let newer = wasmill_tests::scratch::manifest(plugin).unwrap().replacen("version = \"", "version = \"9", 1);
        scratch.install_bytes(&component(plugin).unwrap(), &newer).unwrap();
        scratch.advise(plugin, 1, versions(plugin, ">=9"), false).unwrap();
    }
    let host = scratch.open().await.unwrap();
    assert!(count(&host).await.is_ok());
    let snapshot = host.catalog.snapshot();
    assert!(snapshot.tool("text-metrics").unwrap().manifest.version.major < 9);
    assert!(snapshot.agents.is_empty(), "nobody asked for the older one");
    assert_eq!(snapshot.quarantined.len(), 2);
}

#[tokio::test]
async fn hosts_of_one_database_take_what_an_admin_signed_and_give_back_what_is_missing() {
    let (one, two) = (Scratch::new("").await.unwrap(), Scratch::new("").await.unwrap());
    // The same trust roots; a database that they share.
    std::fs::copy(one.dir.path().join("trust.toml"), two.dir.path().join("trust.toml")).unwrap();
    let file = |scratch: &Scratch| scratch.dir.path().join("advisories.jsonl");
    let warnings =
        |scratch: &Scratch| Warnings::new(file(scratch), scratch.dir.path().join("trust.toml"), one.store.clone());
    let ids = |scratch: &Scratch| -> Vec<String> {
        Advisories::read(&file(scratch)).unwrap().in_force().map(|kept| kept.advisory.id.clone()).collect()
    };
    one.advise("bad", 5, versions("x", "*"), false).unwrap();
    warnings(&one).sync().await.unwrap();
    let mut follower = warnings(&two);
    follower.sync().await.unwrap();
    assert_eq!(ids(&two), ["bad"]);

    // Whoever writes into the database ends nothing and begins nothing.
    let sign = |key: &SecretKey, id: &str, serial, says| {
        let word = Advisory { id: id.into(), serial, reason: "why".into(), says };
        String::from_utf8(word.sign(key).unwrap().to_json()).unwrap()
    };
    let says = || Says::Quarantine { about: versions("y", "*").unwrap(), severity: Severity::Low, rebuild: false };
    let old = sign(&one.admin, "bad", 4, Says::Withdraw);
    for (id, serial, envelope) in [
        ("bad", 6, sign(&one.publisher, "bad", 6, Says::Withdraw)),
        ("bad", 7, old.clone()),
        ("bad", 4, old),
        ("worse", 1, sign(&SecretKey::generate().unwrap(), "worse", 1, says())),
        ("junk", 1, "no envelope".to_owned()),
    ] {
        one.store.add_advisory(id, serial, &envelope).await.unwrap();
    }
    follower.sync().await.unwrap();
    follower.sync().await.unwrap();
    assert_eq!(ids(&two), ["bad"]);

    // A database that lost it gets it back from whoever has it.
    let emptied = Scratch::new("").await.unwrap();
    Warnings::new(file(&two), two.dir.path().join("trust.toml"), emptied.store.clone()).sync().await.unwrap();
    assert_eq!(emptied.store.advisories(10).await.unwrap(), [("bad".to_owned(), 5)]);

    one.store.add_advisory("bad", 8, &sign(&one.admin, "bad", 8, Says::Withdraw)).await.unwrap();
    follower.sync().await.unwrap();
    assert!(ids(&two).is_empty());
}

#[tokio::test]
async fn one_host_builds_anew_and_another_where_that_one_is_gone() {
    let scratch = Scratch::new("").await.unwrap();
    let store = &scratch.store;
    let claim =
        async |host: &str, before_ms| store.claim_rebuild("x@1.0.0", ("bad", 5), host, before_ms).await.unwrap();
    assert!(claim("one", 0).await);
    assert!(!claim("two", 0).await);
    assert!(claim("one", 0).await, "whoever has it goes on");
    assert!(claim("two", i64::MAX).await);
    assert!(!claim("one", 0).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cant_be_read_lets_nothing_in() {
    let scratch = Scratch::new(MATRIX).await.unwrap();
    std::fs::write(scratch.dir.path().join("advisories.jsonl"), "{}\n").unwrap();
    let error = scratch.open().await.err().unwrap().to_string();
    assert!(error.contains("advisories.jsonl"), "{error}");
}

#[test]
fn commands_add_list_and_remove_and_each_place_says_what_is_out() {
    let cli = Cli::new();
    let Some(()) = cli.install("text-metrics") else { return };
    assert_eq!(cli.run(&["advisory", "list"]).json(), json!([]));
    let add = ["advisory", "add", "X-1", "--component", "text-metrics@<9", "--reason", "it leaks"];
    let wrong = cli.run(&[&add[..], &["--key", "publisher"]].concat()).problem(3);
    assert_eq!(wrong.code, "signature.wrong-role");
    assert_eq!(
        cli.run(&["advisory", "add", "X-1", "--crate", "a@<<", "--reason", "x"]).problem(2).code,
        "advisory.about"
    );
    let added = cli.run(&add).json();
    let touched = added["touched"][0].as_str().unwrap().to_owned();
    assert!(touched.starts_with("text-metrics@"), "{added}");
    let listed = cli.run(&["advisory", "list"]).json();
    assert_eq!((&listed[0]["id"], &listed[0]["severity"]), (&json!("X-1"), &json!("high")));
    assert_eq!(listed[0]["touched"][0]["component"], touched);

    let plugin = cli.run(&["plugin", "list"]).json()[0].clone();
    assert_eq!(plugin["problem"]["code"], "component.quarantined", "{plugin}");
    assert!(plugin["digest"].is_string(), "and what it is: {plugin}");
    let report: serde_json::Value = serde_json::from_str(&cli.run(&["doctor"]).stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == "advisories").unwrap();
    assert_eq!(finding["level"], "warn", "{finding}");
    let call = cli.run(&["tool", "call", "text-metrics", "count", r#"{"text": "a"}"#]);
    assert!(call.code != 0 && call.stderr.contains("X-1"), "{call:?}");

    let again = cli.run(&["advisory", "remove", "X-2"]).problem(4);
    assert_eq!(again.code, "advisory.unknown");
    cli.run(&["advisory", "remove", "X-1"]).expect_code(0);
    assert_eq!(cli.run(&["plugin", "list"]).json()[0]["problem"], json!(null));
    let trail = cli.run(&["audit", "list"]).stdout;
    assert!(trail.contains("add advisory X-1") && trail.contains("end advisory X-1"), "{trail}");
    cli.run(&["audit", "verify"]).expect_code(0);
}
