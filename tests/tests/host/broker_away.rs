//! A host whose broker is not there: when it starts, and later.

use std::time::Duration;

use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::up::Up;

use super::feed::{self, Feed, UPPER_MAY};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_says_why_and_goes_on_when_the_broker_is_back() {
    // A broker of its own: others would miss it.
    let Some(kafka) = Kafka::start() else { return };
    let cli = Cli::new();
    let quick = "[streams.properties]\n\"session.timeout.ms\" = \"6000\"\n";
    cli.write("home/host.toml", format!("[streams]\nbrokers = [\"{}\"]\n{quick}", kafka.address()));
    cli.allow(UPPER_MAY);
    let Some(()) = cli.install("upper") else { return };
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic, "--partitions", &feed::PARTITIONS.to_string()]).expect_code(0);
    }

    kafka.kill();
    let up = Up::start(&cli);
    let address = kafka.address();
    cli.status_until(|status| {
        let reason = status["agents"][0]["reason"].as_str().unwrap_or_default();
        status["agents"][0]["state"] == "waiting" && reason.contains(&address)
    });
    kafka.resume().unwrap();
    cli.status_until(|status| status["agents"][0]["state"] == "running");

    let feed = Feed::start(&cli);
    tokio::time::sleep(Duration::from_secs(2)).await;
    kafka.kill();
    tokio::time::sleep(Duration::from_secs(3)).await;
    kafka.resume().unwrap();
    cli.status_until(|status| status["agents"][0]["state"] == "running");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let acknowledged = feed.stop().await;
    feed::expect_exact(&cli, &acknowledged).await;
    drop(up);
}
