//! Numbered records for a host that is killed and started again, and what must have become of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use wasmill::gateway::{AppendReply, Client, ReadReply};
use wasmill_tests::binary::Cli;
use wasmill_tests::scratch::PATIENCE;

/// Partitions of the topics `lower` and `upper`.
pub const PARTITIONS: u32 = 3;
/// Records of one request.
const BATCH: u32 = 40;
/// Keys of the records: each partition gets some.
const KEYS: u32 = 11;
/// Pause between two requests, so that a machine under load can keep up.
const PAUSE: Duration = Duration::from_millis(15);

/// The row that `upper` needs.
pub const UPPER_MAY: &str =
    "[[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n";

/// Sends through the host's socket whenever a host listens there, until it is told to stop.
pub struct Feed {
    stop: watch::Sender<bool>,
    sending: JoinHandle<BTreeSet<u32>>,
}

impl Feed {
    /// Begins to send to the topic `lower` of a home.
    pub fn start(cli: &Cli) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, sending: tokio::spawn(send(socket(cli), stopped)) }
    }

    /// Stops, and gives the numbers of the records that a host has acknowledged.
    pub async fn stop(self) -> BTreeSet<u32> {
        self.stop.send_replace(true);
        self.sending.await.unwrap()
    }
}

async fn send(socket: PathBuf, stopped: watch::Receiver<bool>) -> BTreeSet<u32> {
    let (mut next, mut acknowledged) = (0, BTreeSet::new());
    while !*stopped.borrow() {
        tokio::time::sleep(PAUSE).await;
        let Some(client) = Client::running(socket.clone()).await else { continue };
        let numbers = next..next + BATCH;
        next += BATCH;
        let records = numbers.clone().map(|n| json!({ "key": format!("k{}", n % KEYS), "value": format!("n{n}") }));
        let request = json!({ "records": records.collect::<Vec<_>>() });
        // Whether records that nobody acknowledged were written is not known; they are never sent again.
        if client.post::<AppendReply>("/v1/topics/lower/records", &request).await.is_ok() {
            acknowledged.extend(numbers);
        }
    }
    acknowledged
}

/// Waits until the running host has answered everything, and checks that everything acknowledged was kept and that every
/// input has one output, in the order of its partition.
pub async fn expect_exact(cli: &Cli, acknowledged: &BTreeSet<u32>) {
    let client = Client::running(socket(cli)).await.unwrap();
    let began = Instant::now();
    let mut kept = 0;
    for partition in 0..PARTITIONS {
        let input = all(&client, "lower", partition).await;
        let mut output = all(&client, "upper", partition).await;
        while output.len() < input.len() {
            assert!(began.elapsed() < PATIENCE, "partition {partition}: {} of {} records", output.len(), input.len());
            tokio::time::sleep(Duration::from_millis(100)).await;
            output = all(&client, "upper", partition).await;
        }
        // One more look: what is written twice may come late.
        tokio::time::sleep(Duration::from_millis(300)).await;
        output = all(&client, "upper", partition).await;
        let wanted: Vec<String> = input.iter().map(|value| value.to_uppercase()).collect();
        assert_eq!(output, wanted, "partition {partition}");
        let numbers: Vec<u32> = input.iter().map(|value| value[1..].parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "partition {partition}: {numbers:?}");
        kept += numbers.iter().filter(|number| acknowledged.contains(number)).count();
    }
    assert_eq!(kept, acknowledged.len(), "an acknowledged record is gone");
    assert!(kept > 0, "nothing was ever sent");
}

/// The values of a partition, as a `read_committed` reader sees them.
pub async fn all(client: &Client, topic: &str, partition: u32) -> Vec<String> {
    let (mut values, mut offset) = (Vec::new(), 0);
    loop {
        let path = format!("/v1/topics/{topic}/records?partition={partition}&offset={offset}&limit=1000&wait_ms=300");
        let reply: ReadReply = client.get(&path).await.unwrap();
        let Some(last) = reply.records.last() else { return values };
        offset = last.offset + 1;
        values.extend(reply.records.into_iter().map(|record| record.value.unwrap().to_string()));
    }
}

/// Where the host of a home listens.
pub fn socket(cli: &Cli) -> PathBuf {
    cli.home().join("host.sock")
}
