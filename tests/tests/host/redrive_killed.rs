//! Dead letters on their way back, under `kill -9`: each is on its topic once in the end.

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use wasmill::agents::Redriven;
use wasmill::gateway::{AppendReply, Client, RedriveRequest};
use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

use super::feed::{all, socket};

const LETTERS: usize = 10_000;

/// Sends letters again whenever a host listens, until it is told to stop.
async fn send_again(cli_socket: std::path::PathBuf, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let Some(client) = Client::running(cli_socket.clone()).await else { continue };
        // Whether a request to a host that died has done something is what the end of the test looks at.
        let _ = client.post::<Redriven>("/v1/dlq/words/redrive", &json!(RedriveRequest { max: 1000 })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redrive_that_is_killed_halfway_goes_on_where_it_was() {
    let cli = Cli::new();
    for topic in ["words", "words.dlq"] {
        cli.run(&["topic", "create", topic]).json();
    }
    let up = Up::start(&cli);
    let client = Client::running(socket(&cli)).await.unwrap();
    let wanted: Vec<String> = (0..LETTERS).map(|n| format!("n{n}")).collect();
    for values in wanted.chunks(1000) {
        let records: Vec<_> = values.iter().map(|value| json!({ "key": "k", "value": value })).collect();
        client.post::<AppendReply>("/v1/topics/words.dlq/records", &json!({ "records": records })).await.unwrap();
    }
    up.kill();

    let (stop, stopped) = watch::channel(false);
    let sending = tokio::spawn(send_again(socket(&cli), stopped));
    let mut halfway = 0;
    for wait in [20, 45, 70, 95, 120] {
        let up = Up::start(&cli);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        up.kill();
        let sent = cli.run(&["record", "tail", "words", "--no-follow"]).json_lines().len();
        halfway += usize::from(0 < sent && sent < LETTERS);
    }
    let _up = Up::start(&cli);
    stop.send_replace(true);
    sending.await.unwrap();
    let client = Client::running(socket(&cli)).await.unwrap();
    loop {
        let request = json!(RedriveRequest { max: 1000 });
        if client.post::<Redriven>("/v1/dlq/words/redrive", &request).await.unwrap().records == 0 {
            break;
        }
    }
    assert!(all(&client, "words", 0).await == wanted, "each letter is there once, in order");
    assert!(halfway > 0, "no kill came while letters were on their way");
}
