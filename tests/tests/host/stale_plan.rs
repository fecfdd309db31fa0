//! A plan of topics that somebody was shown, and that is another one by now.

use serde_json::{Value, json};
use wasmill::gateway::Client;
use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

use super::feed::socket;

/// The command line looks too, but whoever talks to the host itself gets no more than was shown either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_does_the_plan_that_was_shown_or_nothing() {
    let cli = Cli::new();
    let _up = Up::start(&cli);
    let client = Client::running(socket(&cli)).await.unwrap();
    let topics = json!([{ "name": "words", "partitions": 2 }]);
    let plan: Value = client.post("/v1/topic-plan", &json!({ "topics": topics })).await.unwrap();
    let apply = json!({ "topics": topics, "plan": plan["id"] });

    cli.run(&["topic", "create", "words"]).expect_code(0);
    let problem = client.post::<Value>("/v1/topic-plan/apply", &apply).await.unwrap_err();
    assert_eq!(problem.code, "topic.plan-changed", "{problem:?}");
    assert_eq!(cli.run(&["topic", "list"]).json()[0]["partitions"], 1);
}
