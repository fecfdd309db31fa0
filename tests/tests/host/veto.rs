//! A policy outside of the matrix: it denies what the rows allow, at once and everywhere, and where it can't be asked
//! nothing is allowed.

use std::time::{Duration, Instant};

use serde_json::json;
use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill::host::Host;
use wasmill::permissions::{Action, Principal};
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::{PATIENCE, Scratch, denials};

const MATRIX: &str = "[[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n\
    [[row]]\nprincipal = \"client:ada\"\ntools = [\"*\"]\nhttp = [{ host = \"*\", methods = [\"*\"] }]\nhost = [\"read\"]\n";
/// Denies nothing.
const SILENT: &str = "package wasmill\ndeny contains \"never\" if false\n";
const NO_METRICS: &str = "package wasmill\n\
    deny contains sprintf(\"%s is not for %s\", [input.action.name, input.principal.id]) if {\n\
    \tinput.action.column == \"tools\"\n\tinput.action.name == \"text-metrics\"\n}\n";
const NO_UPPER: &str = "package wasmill\n\
    deny contains \"nobody writes there\" if {\n\tinput.action.column == \"topics.write\"\n\tinput.action.name == \"upper\"\n}\n";

/// A folder with an engine for policies and this one. `None` (said loudly) where the engine is not built.
async fn scratch(policy: &str) -> Option<Scratch> {
    require(parts::plugin("rego"))?;
    let mut scratch = Scratch::new(MATRIX).await.unwrap();
    scratch.install("rego").unwrap();
    scratch.install("text-metrics").unwrap();
    scratch.veto = true;
    write(&scratch, policy);
    Some(scratch)
}

fn write(scratch: &Scratch, policy: &str) {
    std::fs::write(scratch.dir.path().join("veto.rego"), policy).unwrap();
}

/// The answer of a tool, or code and message of the error.
async fn count(host: &Host) -> Result<String, (String, String)> {
    let call = Invocation {
        tool: "text-metrics".into(),
        function: "count".into(),
        arguments: json!({ "text": "a b" }).to_string(),
    };
    host.toolbox.call(&host.client("ada"), call).await.map_err(|error| {
        let problem = problem(&error);
        (problem.code, problem.message)
    })
}

/// Waits until a call ends like this.
async fn until(host: &Host, wanted: impl Fn(&Result<String, (String, String)>) -> bool) {
    let began = Instant::now();
    loop {
        let ended = count(host).await;
        if wanted(&ended) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{ended:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn is(code: &str) -> impl Fn(&Result<String, (String, String)>) -> bool {
    move |ended| ended.as_ref().is_err_and(|(is, _)| is == code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_rows_allow_is_denied_with_the_policys_reason_and_in_the_audit_trail() {
    let Some(scratch) = scratch(NO_METRICS).await else { return };
    let host = scratch.open().await.unwrap();
    let (code, message) = count(&host).await.unwrap_err();
    assert_eq!(code, "permission.veto");
    assert!(message.contains("client:ada may not call tool text-metrics"), "{message}");
    assert!(message.contains("text-metrics is not for client:ada"), "{message}");
    let denied = denials(&host).await.unwrap();
    assert!(denied.iter().any(|detail| detail.contains("text-metrics is not for client:ada")), "{denied:?}");
    assert!(host.client("ada").identity.grant.check(Action::Host("read")).is_allowed(), "only what it names");
    assert!(!host.client("bob").identity.grant.check(Action::Host("read")).is_allowed(), "and allows nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_policy_is_in_force_without_a_restart_and_a_broken_one_denies_everything() {
    let Some(scratch) = scratch(SILENT).await else { return };
    let running = scratch.run().await.unwrap();
    let host = &running.host;
    until(host, Result::is_ok).await;
    write(&scratch, NO_METRICS);
    until(host, is("permission.veto")).await;
    for (broken, code) in [
        ("package wasmill\ndeny contains if\n", "veto.policy"),
        ("package wasmill\nallow := true\n", "veto.policy"),
        ("package wasmill\ndeny := true\n", "veto.policy"),
        ("package other\ndeny contains \"x\" if false\n", "veto.policy"),
        ("package wasmill\ndeny contains \"x\" if http.send({}).status_code == 200\n", "veto.policy"),
    ] {
        write(&scratch, broken);
        until(host, is(code)).await;
        write(&scratch, SILENT);
        until(host, Result::is_ok).await;
    }
    std::fs::remove_file(scratch.dir.path().join("veto.rego")).unwrap();
    until(host, is("veto.unreadable")).await;
    write(&scratch, &"#".repeat(64 * 1024 + 1));
    until(host, is("veto.unreadable")).await;
    write(&scratch, SILENT);
    until(host, Result::is_ok).await;
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_at_work_is_stopped_from_what_a_new_policy_denies() {
    let Some(scratch) = scratch(SILENT).await else { return };
    scratch.install("upper").unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    scratch.send("lower", &["one"]).await.unwrap();
    assert_eq!(scratch.wait_for("upper", 1).await.unwrap().len(), 1);
    write(&scratch, NO_UPPER);
    let began = Instant::now();
    let is_denied = || {
        let snapshot = running.host.catalog.snapshot();
        let agent = snapshot.agents.get("upper");
        agent.is_some_and(|agent| !agent.identity.grant.check(Action::TopicWrite("upper")).is_allowed())
    };
    while !is_denied() {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scratch.send("lower", &["two"]).await.unwrap();
    let letter = scratch.wait_for("lower.dlq", 1).await.unwrap();
    let headers = letter.headers.unwrap();
    let reason = String::from_utf8_lossy(&headers.values.bytes);
    assert!(reason.contains("nobody writes there"), "{reason}");
    running.stop().await.unwrap();
}

/// Policies that would take more than they may: each denies what it is asked about, soon, and the host goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_policy_denies_what_it_is_asked_about_and_the_host_goes_on() {
    let nested = format!("package wasmill\ndeny contains \"x\" if {}1{} == 2\n", "[".repeat(900), "]".repeat(900));
    let chain = format!("package wasmill\ndeny contains \"x\" if 1{} == 2\n", "\n+1".repeat(4_000));
    for (name, policy) in [
        ("recursion", "package wasmill\nf(x) := f(x + 1)\ndeny contains \"x\" if { input.action; f(1) }\n"),
        ("cycle", "package wasmill\na := b\nb := a\ndeny contains \"x\" if a\n"),
        (
            "comprehension",
            "package wasmill\nr := numbers.range(1, 3000)\ndeny contains \"x\" if {\n\tinput.action\n\
             \tcount([1 | some a in r; some b in r; some c in r]) == 7\n}\n",
        ),
        (
            "range",
            "package wasmill\ndeny contains \"x\" if { input.action; count(numbers.range(1, 1000000000)) == 7 }\n",
        ),
        (
            "reasons",
            "package wasmill\ndeny contains sprintf(\"%d\", [x]) if { input.action; some x in numbers.range(1, 90000) }\n",
        ),
        ("nested", nested.as_str()),
        ("chain", chain.as_str()),
    ] {
        let Some(scratch) = scratch(policy).await else { return };
        let host = scratch.open().await.unwrap();
        let began = Instant::now();
        let (code, message) = count(&host).await.unwrap_err();
        assert!(code == "veto.failed" || code == "veto.policy", "{name}: {code} {message}");
        assert!(began.elapsed() < Duration::from_secs(10), "{name}: {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_engine_for_it_a_policy_denies_everything_until_there_is_one() {
    if require(parts::plugin("rego")).is_none() {
        return;
    }
    let mut scratch = Scratch::new(MATRIX).await.unwrap();
    scratch.install("text-metrics").unwrap();
    scratch.veto = true;
    write(&scratch, SILENT);
    let running = scratch.run().await.unwrap();
    assert_eq!(count(&running.host).await.unwrap_err().0, "veto.engine");
    scratch.install("rego").unwrap();
    until(&running.host, Result::is_ok).await;
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_documentation_works() {
    let manual = include_str!("../../../docs/permissions.md");
    let example = manual.split_once("```rego\n").unwrap().1.split_once("```").unwrap().0;
    let Some(scratch) = scratch(example).await else { return };
    let host = scratch.open().await.unwrap();
    assert!(count(&host).await.is_ok());
    let grant = host.client("ada").identity.grant.clone();
    let http = |host, method| grant.check(Action::Http { host, method }).is_allowed();
    assert!(http("api.example.com", "GET") && !http("api.example.com", "DELETE"));
    assert!(!http("169.254.169.254", "GET") && !http("169.254.169.254:80", "GET"));
    let agent = host.catalog.matrix().current().grant(&Principal::agent("upper"), None, None, None);
    assert!(agent.check(Action::TopicWrite("upper")).is_allowed());
}

#[test]
fn explain_matrix_what_if_and_doctor_say_what_the_policy_says() {
    let cli = Cli::new();
    let Some(()) = cli.install("rego") else { return };
    let Some(()) = cli.install("text-metrics") else { return };
    cli.write("home/permissions.toml", MATRIX);
    cli.write("home/host.toml", "[veto]\nfile = \"veto.rego\"\n");
    cli.write("home/veto.rego", NO_METRICS);
    let explain = ["permission", "explain", "client:ada", "tools", "text-metrics"];
    let answer = cli.run(&explain).json()["answer"].clone();
    assert_eq!(answer["allowed"], false);
    assert!(answer["text"].as_str().unwrap().contains("text-metrics is not for client:ada"), "{answer}");
    assert_eq!(cli.run(&["permission", "explain", "client:ada", "host", "read"]).json()["answer"]["allowed"], true);
    let matrix = cli.run(&["permission", "matrix"]).json();
    assert_eq!(matrix["veto"].get("broken"), None, "{matrix}");

    cli.write("home/veto.rego", "package wasmill\ndeny := 1\n");
    let matrix = cli.run(&["permission", "matrix"]).json();
    assert!(matrix["veto"]["broken"].as_str().unwrap().starts_with("veto.policy: "), "{matrix}");
    let up = wasmill_tests::up::Up::start(&cli);
    let report: serde_json::Value = serde_json::from_str(&cli.run(&["doctor"]).stdout).unwrap();
    let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "veto").unwrap();
    assert_eq!(finding["level"], "fail");
    assert!(finding["says"].as_str().unwrap().contains("no set of texts"), "{finding}");
    drop(up);
}
