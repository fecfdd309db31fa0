//! Credentials that are entered at a running host: they count at once, and are found nowhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};
use wasmill_tests::replay::{Recorded, Replay};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::super::gateway::Open;

const MAY: &str = "[[row]]\nprincipal = \"client:ops\"\nhost = [\"*\"]\ntools = [\"*\"]\ntopics.read = [\"*\"]\n\
    topics.write = [\"*\"]\n[[row]]\nprincipal = \"client:looker\"\nhost = [\"read\", \"operate\", \"install\", \"approve\"]\n\
    [[row]]\nprincipal = \"agent:stepper\"\nmodel = [\"*\"]\nhttp = [{ host = \"*\", methods = [\"*\"] }]\n\
    secrets = [\"*\"]\ntools = [\"*\"]\nstate = true\ntopics.read = [\"steps\"]\ntopics.write = [\"steps.done\"]\n";
const FIRST: &str = "sk-planted/7f3a+first";
const SECOND: &str = "sk-planted/c41d+second";
const MISPLACED: &str = "sk-planted/99aa+misplaced";

fn start(model: &Replay) -> Option<Open> {
    let settings = format!(
        "[metrics]\nlisten = \"127.0.0.1:0\"\n[model]\nurl = \"{}\"\nmodel = \"m\"\napi_key_secret = \"MODEL_KEY\"\n",
        model.url()
    );
    let open = Open::with_settings(&settings, MAY, &["text-metrics"])?;
    for topic in ["steps", "steps.done"] {
        open.cli.run(&["topic", "create", topic]).expect_code(0);
    }
    open.cli.install("stepper")?;
    open.cli.run(&["approval", "grant", "stepper"]).expect_code(0);
    Some(open)
}

/// Has the agent ask the model, and waits until it was asked so often.
fn ask_model(open: &Open, token: &str, model: &Replay, times: usize) {
    let record = json!({ "records": [{ "value": r#"[{"ask":"what is new?"}]"# }] }).to_string();
    assert_eq!(open.status("POST /v1/topics/steps/records", token, &record), 200);
    assert!(until(PATIENCE, || model.questions().len() >= times), "{}", open.up.log());
}

#[test]
fn what_is_entered_counts_at_once_and_is_found_nowhere() {
    let model = Replay::start(Recorded::Answer("nothing".into())).unwrap();
    let Some(open) = start(&model) else { return };
    let [ops, looker] = ["ops", "looker"].map(|client| open.token(client));
    let secret = |value: &str| json!({ "name": "MODEL_KEY", "value": value }).to_string();
    let mut answers = String::new();
    let mut ask = |request: &str, token: &str, body: &str| {
        let (code, head, body) = open.ask(request, token, body);
        answers.push_str(&head);
        answers.push_str(&body);
        (code, body)
    };
    // Every other duty is not enough.
    assert_eq!(ask("POST /v1/secrets", &looker, &secret(FIRST)).0, 403);
    assert_eq!(ask("DELETE /v1/secrets/MODEL_KEY", &looker, "").0, 403);
    ask_model(&open, &ops, &model, 1);
    assert_eq!(model.questions()[0].authorization, None);
    // Without a restart, also when it is replaced.
    for (times, value) in [(2, FIRST), (3, SECOND)] {
        let (code, body) = ask("POST /v1/secrets", &ops, &secret(value));
        assert_eq!(code, 200, "{body}");
        ask_model(&open, &ops, &model, times);
        assert_eq!(model.questions()[times - 1].authorization, Some(format!("Bearer {value}")));
    }
    // A service that repeats the key when it refuses it.
    model.replay(Recorded::Raw(401, format!("the key {SECOND} is not good")));
    ask_model(&open, &ops, &model, 4);
    // Requests that have it in the wrong place.
    for body in [
        json!(MISPLACED).to_string(),
        json!({ MISPLACED: 1 }).to_string(),
        json!({ "name": "A", "value": [MISPLACED] }).to_string(),
        json!({ "name": MISPLACED, "value": "x" }).to_string(),
        json!({ "name": "A", "value": format!("{MISPLACED}\n{MISPLACED}") }).to_string(),
        format!("{{\"name\": \"A\", \"value\": {MISPLACED}}}"),
    ] {
        let (code, said) = ask("POST /v1/secrets", &ops, &body);
        assert!([400, 422].contains(&code), "{said}");
    }
    let failed =
        || open.cli.run(&["run", "list", "--status", "dead"]).json().as_array().is_some_and(|all| !all.is_empty());
    assert!(until(PATIENCE, failed), "{}", open.up.log());
    for path in [
        "settings",
        "secrets",
        "status",
        "figures",
        "audit",
        "permissions",
        "approvals",
        "plugins",
        "builds",
        "hosts",
        "dlq",
        "runs",
    ] {
        let (code, body) = ask(&format!("GET /v1/{path}"), &ops, "");
        assert_eq!(code, 200, "{path}: {body}");
    }
    let runs = open.cli.run(&["run", "list"]).json();
    for run in runs.as_array().unwrap() {
        ask(&format!("GET /v1/runs/{}", run["id"].as_str().unwrap()), &ops, "");
    }
    let listed: Value = serde_json::from_str(&ask("GET /v1/secrets", &ops, "").1).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["changed_by"]), (&"MODEL_KEY".into(), &"client:ops".into()));
    answers.push_str(&metrics(&open));
    for topic in ["steps", "steps.done", "steps.dlq"] {
        answers.push_str(&open.ask(&format!("GET /v1/topics/{topic}/records?offset=0&limit=1000"), &ops, "").2);
    }
    assert!(answers.contains("what is new?") && answers.contains("wasmill_"), "the answers are those that were meant");
    assert_nowhere("the answers", answers.as_bytes());
    assert_nowhere("the log", open.up.log().as_bytes());
    drop(open.up);
    let files = everything_under(open.cli.folder());
    assert!(files > 10, "{files} files");
    let key = open.cli.home().join("secrets.key");
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
}

/// What Prometheus would read.
fn metrics(open: &Open) -> String {
    use std::io::{Read, Write};
    let url = open.up.greeting()["metrics"].as_str().unwrap().to_owned();
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Looks into every file: the database, the log of records, what the host has written, all that it keeps.
fn everything_under(folder: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files += everything_under(&entry.path());
        } else if kind.is_file() {
            assert_nowhere(&entry.path().display().to_string(), &fs::read(entry.path()).unwrap());
            files += 1;
        }
    }
    files
}

/// Neither as it is, nor in the forms that text takes on its way.
#[track_caller]
fn assert_nowhere(place: &str, bytes: &[u8]) {
    for secret in [FIRST, SECOND, MISPLACED] {
        let coded = base64::engine::general_purpose::STANDARD.encode(secret);
        let escaped = secret.replace('/', "\\/");
        let percent = secret.replace('/', "%2F").replace('+', "%2B");
        for form in [secret, &coded[..coded.len() - 4], &escaped, &percent] {
            let found = bytes.windows(form.len()).any(|part| part == form.as_bytes());
            assert!(!found, "`{form}` is in {place}");
        }
    }
}
