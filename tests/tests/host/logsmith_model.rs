//! The agent that writes parsers, where a model writes them. What the model says is recorded; the rest is real.

use serde_json::Value;
use wasmill::capabilities::ModelConfig;
use wasmill::forge::{ForgeSettings, prepare};
use wasmill::store::{BuildFilter, BuildOutcome, BuildRow};
use wasmill_registry::{Digest, Reference};
use wasmill_tests::replay::{Recorded, Replay};
use wasmill_tests::scratch::{Running, Scratch};

use crate::logsmith::{LOGSMITH_MAY, parsed, send, shop};

/// A model's answer: some words, and a parser in a fenced block. It marks every line that it knows.
const ANSWER: &str = include_str!("../../recorded/parser.md");
/// The mark.
const MARK: &str = "seen by the model";
/// Grants the model.
const GRANTED: &str = "model = [\"writer\"]\n";
/// Lines that are sent.
const LINES: usize = 90;

/// The source in [`ANSWER`].
fn source() -> &'static str {
    ANSWER.split_once("```rust\n").unwrap().1.split_once("```").unwrap().0
}

/// An answer whose source no compiler takes.
fn broken() -> String {
    let broken = ANSWER.replace("message.split(' ')", "message.spilt(' ')");
    assert_ne!(broken, ANSWER);
    broken
}

/// A host at work on lines of a shop, with a model that gives these answers in turn.
struct Shop {
    scratch: Scratch,
    model: Replay,
    running: Running,
}

impl Shop {
    /// `granted`: what the agent's row says beside what it always needs.
    async fn open(answers: &[&str], granted: &str) -> Self {
        prepare(&ForgeSettings::default(), &|_| ()).await.unwrap();
        let model = Replay::start(Recorded::Silence).unwrap();
        model.replay_in_turn(answers.iter().map(|answer| Recorded::Answer((*answer).to_owned())));
        let mut scratch = Scratch::new(&format!("{LOGSMITH_MAY}{granted}")).await.unwrap();
        let (url, name) = (model.url(), "writer".to_owned());
        scratch.model = Some(ModelConfig::new(url, name));
        scratch.settings.insert("logsmith".into(), [("use-model".into(), "true".into())].into());
        scratch.install("logsmith").unwrap();
        scratch.topics(&["logs.raw", "logs.parsed"]).await.unwrap();
        send(&scratch, "shop", &shop(0..LINES)).await;
        let running = scratch.run().await.unwrap();
        Self { scratch, model, running }
    }

    /// All lines come out parsed, once and in order; true where the model's parser did it, for every line or none.
    async fn parsed_by_model(&self) -> bool {
        let records = parsed(&self.scratch, LINES).await;
        for (n, record) in records.iter().enumerate() {
            let variables = record["variables"].to_string();
            assert!(record["template_id"].is_u64() && variables.contains(&n.to_string()), "{n}: {record}");
            assert_eq!((&record["source"], &record["level"]), (&"shop".into(), &"INFO".into()));
        }
        let marked = records.iter().filter(|record| record["fields"].to_string().contains(MARK)).count();
        assert!(marked == 0 || marked == LINES, "{marked} of {LINES} lines");
        marked == LINES
    }

    /// The source that the registry keeps with the newest version of the tool.
    fn tool_source(&self) -> String {
        let registry = self.scratch.registry().unwrap();
        let tool = Reference { name: "logsmith.parse-shop".into(), version: None };
        let bundle = registry.get(&registry.find(&tool).unwrap()).unwrap();
        String::from_utf8(bundle.source.unwrap()).unwrap()
    }

    /// What the forge was asked for, oldest first.
    async fn builds(&self) -> Vec<BuildRow> {
        let filter = BuildFilter { limit: 10, ..BuildFilter::default() };
        let mut builds = self.running.host.store.builds(&filter).await.unwrap();
        builds.reverse();
        assert!(builds.iter().all(|build| build.maker == "agent:logsmith"), "{builds:?}");
        builds
    }

    /// The messages of every question.
    fn questions(&self) -> Vec<Vec<Value>> {
        let messages = |question: &Value| question["messages"].as_array().unwrap().clone();
        self.model.questions().iter().map(|question| messages(&question.body)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_granted_writes_the_parser() {
    let shop = Shop::open(&[ANSWER], GRANTED).await;
    assert!(shop.parsed_by_model().await);
    assert_eq!(shop.tool_source(), source());
    let builds = shop.builds().await;
    assert_eq!(builds.len(), 1, "{builds:?}");
    let digest = Digest::of(source().as_bytes()).to_string();
    assert_eq!((builds[0].outcome, &builds[0].source_digest), (BuildOutcome::Callable, &digest));

    let questions = shop.questions();
    assert_eq!((questions.len(), questions[0].len()), (1, 1));
    let asked = questions[0][0]["content"].as_str().unwrap();
    assert!(asked.contains("wasmill_sdk::tool!(LogParser)") && asked.contains("order 0 was paid with card"), "{asked}");
    shop.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_source_does_not_compile_is_told_why_and_asked_again() {
    let broken = broken();
    let shop = Shop::open(&[&broken, ANSWER], GRANTED).await;
    assert!(shop.parsed_by_model().await);
    assert_eq!(shop.tool_source(), source());
    let outcomes: Vec<BuildOutcome> = shop.builds().await.iter().map(|build| build.outcome).collect();
    assert_eq!(outcomes, [BuildOutcome::Refused, BuildOutcome::Callable]);

    let questions = shop.questions();
    assert_eq!(questions.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((&questions[1][0], &questions[1][1]["content"]), (&questions[0][0], &broken.into()));
    let told = questions[1][2]["content"].as_str().unwrap();
    assert!(told.contains("error[E0599]") && told.contains("spilt"), "{told}");
    shop.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_models_parser_that_does_logsmith_writes_its_own() {
    let broken = broken();
    // It compiles and answers, but a row for each line is what it does not give.
    let silent = ANSWER.replace("\"rows\": rows", "\"rows\": rows[1..]");
    for (answer, granted, outcomes) in [
        (&*broken, GRANTED, &[BuildOutcome::Refused, BuildOutcome::Refused][..]),
        (&silent, GRANTED, &[BuildOutcome::Callable]),
        (ANSWER, "model = [\"another\"]\n", &[]),
    ] {
        let shop = Shop::open(&[answer], granted).await;
        assert!(!shop.parsed_by_model().await);
        assert!(shop.tool_source().contains("written by logsmith"));
        let builds = shop.builds().await;
        let (own, models) = builds.split_last().unwrap();
        assert_eq!(models.iter().map(|build| build.outcome).collect::<Vec<_>>(), outcomes);
        assert_eq!(own.outcome, BuildOutcome::Callable);
        assert_eq!(shop.questions().len(), outcomes.len());
        shop.running.stop().await.unwrap();
    }
}
