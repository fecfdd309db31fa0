//! Other clients take part with nothing but Kafka's protocol.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use wasmill::streams::{Output, Work};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::parts::{self, require};

use super::subject;
use crate::contract::subject::{Subject, done, output, poll_records, texts};

fn run(program: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Lets a worker answer what a stranger has sent to `topic`; the answer has the stranger's header and one of ours.
async fn answer(s: &Subject, topic: &str, out: &str) {
    let mut worker = s.join("group", &[topic]).await;
    let batches = poll_records(worker.as_mut(), 1).await;
    assert_eq!((batches[0].key(0), texts(&batches[0])), (Some(&b"k"[..]), vec!["question".to_owned()]));
    let headers: Vec<_> = batches[0].headers.as_ref().unwrap().of(0).collect();
    assert_eq!(headers, [(&b"lang"[..], &b"en"[..])]);
    let common_headers = Arc::from([("ce_type".to_owned(), b"answer".to_vec())]);
    let answer = Output { headers: batches[0].headers.clone(), common_headers, ..output(out, &[("k", "answer")]) };
    worker.commit(Work { outputs: vec![answer], ..done(&batches) }).await.unwrap();
    s.all_of(out, 1, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kcat_sends_and_reads() {
    let (Some(kcat), Some(kafka), Some(s)) = (require(parts::kcat()), Kafka::shared(), subject().await) else { return };
    let (topic, out) = (s.topic("kcat-in", 1).await, s.topic("kcat-out", 1).await);
    let broker = kafka.address();
    run(&kcat, &["-b", &broker, "-P", "-t", &topic, "-K", ":", "-H", "lang=en"], "k:question\n");
    answer(&s, &topic, &out).await;
    let committed = "isolation.level=read_committed";
    let format = ["-f", "%k %s %h\\n", "-o", "beginning", "-e", "-q"];
    let read = run(&kcat, &[&["-b", &broker, "-C", "-t", &out, "-X", committed], &format[..]].concat(), "");
    assert_eq!(read, "k answer lang=en,ce_type=answer\n");
}

const SEND: &str = r#"
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
producer.send(sys.argv[2], key=b"k", value=b"question", headers=[("lang", b"en")]).get(30)
producer.close()
"#;

const READ: &str = r#"
import sys
from kafka import KafkaConsumer
consumer = KafkaConsumer(sys.argv[2], bootstrap_servers=sys.argv[1], auto_offset_reset="earliest",
                         isolation_level="read_committed", enable_auto_commit=False, consumer_timeout_ms=30000)
record = next(consumer)
print(record.key, record.value, record.headers)
consumer.close()
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_client_sends_and_reads() {
    let (Some(python), Some(kafka)) = (require(parts::kafka_python()), Kafka::shared()) else { return };
    let Some(s) = subject().await else { return };
    let (topic, out) = (s.topic("python-in", 1).await, s.topic("python-out", 1).await);
    run(&python, &["-c", SEND, &kafka.address(), &topic], "");
    answer(&s, &topic, &out).await;
    let read = run(&python, &["-c", READ, &kafka.address(), &out], "");
    assert!(read.contains("b'k' b'answer'"), "{read}");
    assert!(read.contains("('lang', b'en')") && read.contains("('ce_type', b'answer')"), "{read}");
}
