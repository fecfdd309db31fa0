//! The whole host under `kill -9`, again and again, while records come in: every input is answered once and in order.

use std::time::Duration;

use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::up::Up;

use super::feed::{self, Feed, UPPER_MAY};

/// Numbers from a seed, so that a failure can be played again (Marsaglia's xorshift).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A home with `upper` and its topics. `None` where the plugin is not built.
fn home(streams: &str) -> Option<Cli> {
    let cli = Cli::new();
    cli.write("home/host.toml", streams);
    cli.allow(UPPER_MAY);
    cli.install("upper")?;
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic, "--partitions", &feed::PARTITIONS.to_string()]).expect_code(0);
    }
    Some(cli)
}

async fn kill_again_and_again(cli: &Cli, kills: u32, mut seed: u64) {
    let feed = Feed::start(cli);
    for kill in 0..kills {
        // Every third time the host dies while it starts.
        let up = if kill % 3 == 2 { Up::spawn(cli) } else { Up::start(cli) };
        tokio::time::sleep(Duration::from_millis(random(&mut seed) % 1500)).await;
        up.kill();
    }
    let up = Up::start(cli);
    let acknowledged = feed.stop().await;
    feed::expect_exact(cli, &acknowledged).await;
    drop(up);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_log() {
    let Some(cli) = home("") else { return };
    kill_again_and_again(&cli, 7, 0x5eed_0002).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_kafka() {
    let Some(kafka) = Kafka::shared() else { return };
    // With a name of its own, a restarted host ends its predecessor's transactions instead of waiting for them.
    let streams = format!(
        "[streams]\nbrokers = [\"{}\"]\ninstance = \"killed\"\n[streams.properties]\n\"session.timeout.ms\" = \"6000\"\n",
        kafka.address()
    );
    let Some(cli) = home(&streams) else { return };
    kill_again_and_again(&cli, 4, 0x5eed_0003).await;
}
