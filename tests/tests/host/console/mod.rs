//! The console, in a real browser over a real host.

mod policy;
mod secrets;

use std::process::Command;

use serde_json::json;
use wasmill_tests::parts::{self, require};
use wasmill_tests::replay::{Recorded, Replay};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::gateway::Open;

const BROWSE: &str = include_str!("browse.py");
const LOOK: &str = "// <img src=x onerror=document.title='taken'>\n\
    export const look = { call() { return wasmill.send({ url: 'https://api.example.com/' }).status; } };\n";
const LOOK_BEFORE: &str = "export const look = { call() { return '<b>nothing</b>'; } };\n";
const MAY: &str = "[[row]]\nprincipal = \"client:ops\"\nhost = [\"*\"]\ntools = [\"*\"]\nforge = [\"*\"]\n\
    topics.read = [\"*\"]\ntopics.write = [\"*\"]\nhttp = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n\
    [[row]]\nprincipal = \"tool:ops.*\"\nhttp = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n\
    [[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n\
    [[row]]\nprincipal = \"agent:stepper\"\nmodel = [\"*\"]\nhttp = [{ host = \"*\", methods = [\"*\"] }]\ntools = [\"*\"]\nstate = true\n\
    topics.read = [\"steps\"]\ntopics.write = [\"steps.done\"]\n\
    [[row]]\nprincipal = \"agent:concierge\"\ntools = [\"text-metrics\"]\n\
    topics.read = [\"conversation.inbound\", \"concierge.steps\"]\n\
    topics.write = [\"conversation.outbound\", \"concierge.steps\"]\n";
const PLANTED: &str = "sk-planted/of-the-console";

/// Something that waits for an admin, and the version before it, which does not.
fn make_something_that_waits(open: &Open, token: &str) {
    let before = json!({ "name": "look", "language": "javascript", "source": LOOK_BEFORE,
        "examples": [{ "function": "look", "arguments": "{}" }] });
    let request = json!({ "name": "look", "language": "javascript", "source": LOOK,
        "permissions": "http = [{ host = \"api.example.com\", methods = [\"GET\"] }]" });
    for (request, outcome) in [(before, "\"callable\""), (request, "\"waiting\"")] {
        let (code, _, body) = open.ask("POST /v1/builds", token, &request.to_string());
        assert!(code == 200 && body.contains(outcome), "{code}: {body}");
    }
}

fn send(open: &Open, token: &str, topic: &str, value: &str) {
    let body = json!({ "records": [{ "key": "one", "value": value, "headers": [["lang", "en"]] }] }).to_string();
    let (code, _, said) = open.ask(&format!("POST /v1/topics/{topic}/records"), token, &body);
    assert_eq!(code, 200, "{said}");
}

/// Agents with work: runs that are done, and one whose record is set aside.
fn let_agents_work(open: &Open, token: &str) -> Option<()> {
    let talk = ["conversation.inbound", "conversation.outbound", "concierge.steps"];
    for topic in ["lower", "upper", "steps", "steps.done"].into_iter().chain(talk) {
        open.cli.run(&["topic", "create", topic]).expect_code(0);
    }
    for agent in ["upper", "stepper", "concierge"] {
        open.cli.install(agent)?;
    }
    open.cli.run(&["approval", "grant", "stepper"]).expect_code(0);
    let steps = json!([
        { "call": ["text-metrics", "count", { "text": "<b>two</b> words" }] },
        { "ask": "<img src=x onerror=document.title='taken'>" },
        { "sleep": 40 },
        { "call": ["text-metrics", "count", { "text": "more" }] },
    ]);
    send(open, token, "steps", &steps.to_string());
    send(open, token, "steps", r#"[{"fail":"<i>no</i>"}]"#);
    send(open, token, "lower", "abc");
    let ended = |status| {
        open.cli.run(&["run", "list", "--status", status]).json().as_array().is_some_and(|all| !all.is_empty())
    };
    assert!(until(PATIENCE, || ended("done") && ended("dead")), "{}", open.up.log());
    Some(())
}

#[test]
fn a_person_walks_through_every_page_and_approves_with_a_key_that_stays() {
    let (Some(python), Some(chromium)) = (require(parts::browser_python()), require(parts::chromium())) else { return };
    let model = Replay::start(Recorded::Answer("<script>document.title = 'taken'</script>".into())).unwrap();
    let settings = format!(
        "[model]\nurl = \"{}\"\nmodel = \"recorded\"\napi_key_secret = \"MODEL_KEY\"\ncurrency = \"EUR\"\n\
         prices = {{ recorded = {{ input = \"1000\", output = \"2000\" }} }}\n\
         [conversations]\n[console]\ntrace_url = \"http://127.0.0.1:1/trace/{{trace}}\"\n",
        model.url()
    );
    let Some(open) = Open::with_settings(&settings, MAY, &["text-metrics", "javascript"]) else { return };
    let token = open.token("ops");
    make_something_that_waits(&open, &token);
    let Some(()) = let_agents_work(&open, &token) else { return };
    let keys = open.cli.home().join("keys");
    let given = json!({
        "url": open.url, "token": token, "chromium": chromium, "planted": PLANTED,
        "key": keys.join("admin.key"), "wrong_key": keys.join("publisher.key"),
        "shots": std::env::var("WASMILL_SHOTS").ok(),
    });
    let walked = Command::new(python).args(["-c", BROWSE, &given.to_string()]).output().unwrap();
    let said = String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{said}\n{}", open.up.log());
    // The approval is one as every other: by its signature.
    let approvals = open.cli.run(&["approval", "list"]).json();
    let look = approvals.as_array().unwrap().iter().find(|case| case["component"] == "ops.look@0.1.1").unwrap();
    assert_eq!(look["state"], "granted", "{approvals}");
    // The matrix that was saved is in the home, and the credential that was entered is the next one that is used.
    assert!(std::fs::read_to_string(open.cli.home().join("permissions.toml")).unwrap().contains("client:visitor"));
    let before = model.questions().len();
    send(&open, &token, "steps", r#"[{"ask":"again"}]"#);
    assert!(until(PATIENCE, || model.questions().len() > before));
    assert_eq!(model.questions()[before].authorization, Some(format!("Bearer {PLANTED}")));
    assert!(!open.up.log().contains(PLANTED));
}
