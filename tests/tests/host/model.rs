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
                   model = [\"allowed\"]\nlimits = { deadline_ms = 4000";

/// A running host whose agent asks.
struct Asking {
    cli: Cli,
    asked: usize,
    up: Up,
}

impl Asking {
    /// A host with this section `[model]`. `None` where the agent is not built.
    fn start(model: &str) -> Option<Self> {
        Self::limited(model, "")
    }

    /// The same with more limits of the agent.
    fn limited(model: &str, limits: &str) -> Option<Self> {
        let cli = Cli::new();
        cli.write("home/host.toml", model);
        let secrets = cli.home().join("secrets.toml");
        std::fs::write(secrets, format!("MODEL_KEY = \"{KEY}\"\n")).unwrap();
        // Nothing is privileged, so that the agent waits for nobody.
        cli.write("home/permissions.toml", format!("privileged = []\n{ROW}, {limits} }}\n"));
        cli.install("evil-agent")?;
        for topic in ["evil.attacks", "evil.results"] {
            cli.run(&["topic", "create", topic]).expect_code(0);
        }
        let trace = [("RUST_LOG", "trace,wasmtime=info,cranelift=info,regalloc2=info".to_owned())];
        let mut up = Up::spawn_with(&cli, &trace);
        up.wait(&cli);
        cli.status_until(|status| status["agents"][0]["state"] == "running");
        Some(Self { cli, asked: 0, up })
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
        let said = self.up.log();
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

/// A section `[model]` that says what a million tokens cost.
fn priced(server: &Replay) -> String {
    let prices = "prices = { allowed = { input = \"1000\", output = \"2000\" } }";
    format!("[model]\nurl = \"{}\"\nmodel = \"allowed\"\ncurrency = \"EUR\"\n{prices}\n", server.url())
}

/// The recorded answer takes 9 tokens in and 12 out. A question is taken for 8 beforehand, of which 1 is the answer's most.
#[test]
fn a_budget_that_is_used_up_says_when_it_begins_anew_also_after_a_restart() {
    let server = Replay::start(Recorded::Answer("I am nobody.".into())).unwrap();
    let Some(mut asking) = Asking::limited(&priced(&server), "model_tokens_per_day = 49") else { return };
    for _ in 0..2 {
        assert_eq!(asking.ask("allowed")["result"], "I am nobody.");
    }
    let told = asking.ask("allowed");
    assert_eq!(told["code"], "limit.budget", "{told}");
    let said = told["message"].as_str().unwrap();
    assert!(said.contains("agent:evil-agent has used 42 tokens today and this question may take 8 more"), "{said}");
    assert!(said.contains("model_tokens_per_day = 49 (row for \"agent:evil-agent\""), "{said}");
    let day_ms = 24 * 60 * 60 * 1000;
    assert!(told["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0 && ms <= day_ms), "{told}");

    let usage = asking.cli.run(&["model", "usage"]).json();
    assert_eq!(usage["currency"], "EUR");
    let uses = usage["uses"].as_array().unwrap();
    let sum = |field: &str| uses.iter().map(|used| used[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("calls"), sum("prompt_tokens"), sum("completion_tokens")), (2, 18, 24), "{usage}");
    assert_eq!(sum("cost_micros"), 2 * (9 * 1000 + 12 * 2000), "{usage}");
    assert_eq!(usage["today"][0]["tokens"], 42, "{usage}");
    let shown = asking.cli.run(&["model", "usage", "--output", "human"]).expect_code(0).stdout;
    assert!(shown.contains("0.066 EUR") && shown.contains("agent:evil-agent"), "{shown}");

    let Asking { cli, asked, up } = asking;
    up.kill();
    let mut up = Up::spawn(&cli);
    up.wait(&cli);
    cli.status_until(|status| status["agents"][0]["state"] == "running");
    let mut asking = Asking { cli, asked, up };
    assert_eq!(asking.ask("allowed")["code"], "limit.budget");
    assert_eq!(server.questions().len(), 2, "what there is no room for never leaves the host");
}

#[test]
fn a_budget_of_money_is_held_by_the_prices_and_without_a_price_nothing_is_asked() {
    let server = Replay::start(Recorded::Answer("I am nobody.".into())).unwrap();
    // One answer costs 0.033; a question is taken for 0.009 beforehand.
    let Some(mut asking) = Asking::limited(&priced(&server), "model_cost_per_day = \"0.04\"") else { return };
    assert_eq!(asking.ask("allowed")["result"], "I am nobody.");
    let told = asking.ask("allowed");
    assert_eq!(told["code"], "limit.budget", "{told}");
    assert!(
        told["message"].as_str().unwrap().contains("spent 0.033 today and this question may cost 0.009 more"),
        "{told}"
    );
    let free = format!("[model]\nurl = \"{}\"\nmodel = \"allowed\"\n", server.url());
    let Some(mut asking) = Asking::limited(&free, "model_cost_per_day = \"0.04\"") else { return };
    assert_eq!(asking.ask("allowed")["code"], "model.price");
    assert_eq!(server.questions().len(), 1);
}

#[test]
fn a_question_that_the_service_refuses_uses_up_nothing() {
    let server = Replay::start(Recorded::Raw(500, "{}".into())).unwrap();
    let Some(mut asking) = Asking::limited(&priced(&server), "model_tokens_per_day = 15") else { return };
    for _ in 0..3 {
        asking.refused();
    }
    server.replay(Recorded::Answer("I am back.".into()));
    assert_eq!(asking.ask("allowed")["result"], "I am back.");
    assert_eq!(asking.ask("allowed")["code"], "limit.budget");
}

#[test]
fn questions_by_the_minute_are_limited_and_the_guest_is_told_when_to_come_back() {
    let server = Replay::start(Recorded::Answer("I am nobody.".into())).unwrap();
    let Some(mut asking) = Asking::limited(&priced(&server), "model_calls_per_minute = 1") else { return };
    assert_eq!(asking.ask("allowed")["result"], "I am nobody.");
    let told = asking.ask("allowed");
    assert_eq!(told["code"], "limit.rate", "{told}");
    assert!(told["message"].as_str().unwrap().contains("model_calls_per_minute = 1 (row for"), "{told}");
    assert!(told["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0 && ms <= 60_000), "{told}");
    assert_eq!(server.questions().len(), 1);
}
