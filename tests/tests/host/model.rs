//! Asking a language model. None runs here: a local server speaks the OpenAI protocol and replays recorded answers.

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::replay::{Recorded, Replay};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

const KEY: &str = "sk-this-is-never-told";

/// `evil-agent` asks what a record tells it to ask; one model is granted.
const ROW: &str = "[[row]]\nprincipal = \"agent:evil-agent\"\ntopics.read = [\"evil.attacks\"]\n\
                   topics.write = [\"evil.results\"]\ntopics.create = [\"evil.results\"]\ntools = [\"evil-agent.*\"]\nforge = [\"rust\"]\nstate = true\ntimers = true\nagents = [\"none\"]\n\
                   model = [\"allowed\"]\nlimits = { deadline_ms = 4000 }\n";

/// A running host whose agent asks.
struct Asking {
    cli: Cli,
    asked: usize,
    _up: Up,
}

impl Asking {
    /// A host with this section `[model]`. `None` where the agent is not built.
    fn start(model: &str) -> Option<Self> {
        let cli = Cli::new();
        cli.write("home/host.toml", model);
        let secrets = cli.home().join("secrets.toml");
        std::fs::write(secrets, format!("MODEL_KEY = \"{KEY}\"\n")).unwrap();
        // Nothing is privileged, so that the agent waits for nobody.
        cli.write("home/permissions.toml", format!("privileged = []\n{ROW}"));
        cli.install("evil-agent")?;
        for topic in ["evil.attacks", "evil.results"] {
            cli.run(&["topic", "create", topic]).expect_code(0);
        }
        let trace = [("RUST_LOG", "trace,wasmtime=info,cranelift=info,regalloc2=info".to_owned())];
        let mut up = Up::spawn_with(&cli, &trace);
        up.wait(&cli);
        cli.status_until(|status| status["agents"][0]["state"] == "running");
        Some(Self { cli, asked: 0, _up: up })
    }

    fn with(server: &Replay) -> Option<Self> {
        let url = server.url();
        Self::start(&format!("[model]\nurl = \"{url}\"\nmodel = \"allowed\"\napi_key_secret = \"MODEL_KEY\"\n"))
    }

    /// Has the agent ask a model, and gives what came of it.
    fn ask(&mut self, model: &str) -> Value {
        let attack = json!({ "attack": "model", "model": model }).to_string();
        self.cli.run(&["record", "send", "evil.attacks", &attack]).expect_code(0);
        self.asked += 1;
        let mut told = Vec::new();
        let answered = until(PATIENCE, || {
            told = self.cli.run(&["record", "tail", "evil.results", "--no-follow"]).json_lines();
            told.len() == self.asked
        });
        assert!(answered, "{model}: no result; {:#}", self.cli.run(&["status"]).json());
        serde_json::from_str(told.last().unwrap()["value"].as_str().unwrap()).unwrap()
    }

    /// Has the agent ask the granted model, which must not answer, and gives the reason.
    fn refused(&mut self) -> String {
        let told = self.ask("allowed");
        assert_eq!(told["code"], "model.unavailable", "{told}");
        told["message"].as_str().unwrap().to_owned()
    }

    /// The key is nowhere in what the host wrote or sent to topics.
    fn expect_no_key(&self) {
        let said = self._up.log();
        assert!(said.contains("DEBUG") && !said.contains(KEY), "the key is in the log");
        let told = self.cli.run(&["record", "tail", "evil.results", "--from", "start", "--no-follow"]).expect_code(0);
        assert!(!told.stdout.contains(KEY), "{told:?}");
    }
}

#[test]
fn a_granted_model_is_asked_with_the_key_and_any_other_is_denied() {
    let server = Replay::start(Recorded::Answer("I am nobody.".into())).unwrap();
    let Some(mut asking) = Asking::with(&server) else { return };
    assert_eq!(asking.ask("allowed"), json!({ "attack": "model", "result": "I am nobody." }));
    let questions = server.questions();
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].path, "/v1/chat/completions");
    assert_eq!(questions[0].authorization.as_deref(), Some(&*format!("Bearer {KEY}")));
    let body = &questions[0].body;
    assert_eq!((&body["model"], &body["max_tokens"]), (&json!("allowed"), &json!(1)));
    assert_eq!(body["messages"], json!([{ "role": "user", "content": "Who are you?" }]));

    let denied = asking.ask("forbidden");
    assert_eq!(denied["code"], "permission.denied");
    assert!(denied["message"].as_str().unwrap().contains("forbidden"), "{denied}");
    assert_eq!(server.questions().len(), 1, "a denied question never leaves the host");
    asking.expect_no_key();
}

#[test]
fn without_a_model_the_agent_is_told_so() {
    let Some(mut asking) = Asking::start("") else { return };
    let told = asking.ask("allowed");
    assert_eq!((&told["code"], &told["message"]), (&json!("model.none"), &json!("no model is configured")));
    assert_eq!(asking.ask("forbidden")["code"], "permission.denied");
}

#[test]
fn what_is_no_answer_is_said_in_words_and_harms_nobody() {
    let server = Replay::start(Recorded::Raw(500, "{\"error\":\"overloaded\"}".into())).unwrap();
    let Some(mut asking) = Asking::with(&server) else { return };
    let said = asking.refused();
    assert!(said.contains("500") && said.contains("overloaded"), "{said}");

    // Some services repeat the key that they refuse.
    server.replay(Recorded::Raw(401, format!("{{\"error\":\"Incorrect API key provided: {KEY}.\"}}")));
    let said = asking.refused();
    assert!(said.contains("401") && !said.contains(KEY), "{said}");

    for garbage in ["", "<html>", "{}", "{\"choices\":[]}", "{\"choices\":[{\"message\":{\"content\":7}}]}"] {
        server.replay(Recorded::Raw(200, garbage.into()));
        let said = asking.refused();
        assert!(said.contains("answer"), "{garbage}: {said}");
    }

    server.replay(Recorded::Flood(100 * 1024 * 1024));
    let said = asking.refused();
    assert!(said.contains("over 4194304 bytes"), "{said}");

    server.replay(Recorded::Answer("I am back.".into()));
    assert_eq!(asking.ask("allowed")["result"], "I am back.");
    asking.expect_no_key();
}

#[test]
fn a_model_that_says_nothing_is_not_waited_for_beyond_the_deadline() {
    let server = Replay::start(Recorded::Silence).unwrap();
    let Some(mut asking) = Asking::with(&server) else { return };
    let said = asking.refused();
    assert!(said.contains("did not answer"), "{said}");
    server.replay(Recorded::Answer("I am back.".into()));
    assert_eq!(asking.ask("allowed")["result"], "I am back.");
}
