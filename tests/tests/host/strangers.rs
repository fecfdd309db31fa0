//! Strangers take part with nothing but Kafka's protocol: what they send is answered, and the answer tells where it
//! comes from.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::parts::{self, require};
use wasmill_tests::up::Up;

use super::feed::UPPER_MAY;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const PYTHON: &str = r#"
import sys
from kafka import KafkaConsumer, KafkaProducer
broker, read, write = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=broker)
producer.send(read, key=b"p", value=b"from python", headers=[("lang", b"en"), ("ce_id", b"7")]).get(60)
producer.close()
consumer = KafkaConsumer(write, bootstrap_servers=broker, auto_offset_reset="earliest",
                         isolation_level="read_committed", enable_auto_commit=False, consumer_timeout_ms=60000)
for record in consumer:
    if record.key == b"p":
        print(record.value.decode(), dict((name, value.decode()) for name, value in record.headers))
        break
"#;

/// What a stranger's program writes, with this as its input.
pub fn run(program: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn kcat_and_a_python_client_are_answered_by_an_agent() {
    let (Some(kafka), Some(kcat), Some(python)) =
        (Kafka::start(), require(parts::kcat()), require(parts::kafka_python()))
    else {
        return;
    };
    let (cli, broker) = (Cli::new(), kafka.address());
    cli.write("home/host.toml", format!("[streams]\nbrokers = [\"{broker}\"]\n"));
    cli.allow(UPPER_MAY);
    let Some(()) = cli.install("upper") else { return };
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let _up = Up::start(&cli);

    let trace = format!("traceparent={TRACE}");
    let send = ["-b", &broker, "-P", "-t", "lower", "-K", ":", "-H", "lang=en", "-H", &trace];
    run(&kcat, &send, "k:from kcat\n");
    let format = ["-f", "%k %s %h\n", "-o", "beginning", "-c", "1", "-q", "-X", "isolation.level=read_committed"];
    let read = run(&kcat, &[&["-b", &broker, "-C", "-t", "upper"], &format[..]].concat(), "");
    assert!(read.starts_with("k FROM KCAT lang=en,"), "{read}");
    for header in ["ce_specversion=1.0", "ce_source=/agents/upper", "ce_id=lower-", &trace] {
        assert_eq!(read.matches(header).count(), 1, "{header}: {read}");
    }

    let read = run(&python, &["-c", PYTHON, &broker, "lower", "upper"], "");
    assert!(read.starts_with("FROM PYTHON {") && read.contains("'lang': 'en'"), "{read}");
    for header in ["'ce_specversion': '1.0'", "'ce_source': '/agents/upper'", "'traceparent': '00-", "'ce_id': 'lower-"]
    {
        assert!(read.contains(header), "{header}: {read}");
    }
}
