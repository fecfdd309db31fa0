//! What `wasmill doctor` finds of Kafka, healthy and broken: the layer at fault, and what to do.

use std::io::{Read, Write};
use std::net::TcpListener;

use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::{Kafka, PASSWORD, USER};

use super::doctor::{examine, expect, finding};

/// A home whose records are at this address, with these settings under `[streams]`.
fn home(address: &str, security: &str, password: &str) -> Cli {
    let cli = Cli::new();
    cli.write("home/host.toml", format!("[streams]\nbrokers = [\"{address}\"]\n{security}\n"));
    cli.write("home/secrets.toml", format!("KAFKA = \"{password}\"\n"));
    cli
}

fn sasl(mechanism: &str, tls: &str) -> String {
    format!(
        "security = {{ kind = \"sasl\", mechanism = \"{mechanism}\", username = \"{USER}\", password_secret = \"KAFKA\"{tls} }}"
    )
}

#[test]
fn every_layer_of_a_secured_broker_is_named_well_or_broken() {
    let Some(kafka) = Kafka::start_secured() else { return };
    let identity = kafka.identity().unwrap();
    let ca = format!("ca = \"{}\"", identity.ca().display());
    let own = format!(
        "cert = \"{}\", key = \"{}\"",
        identity.client_certificate().display(),
        identity.client_key().display()
    );
    let tls = |inner: &str| format!("security = {{ kind = \"tls\", {inner} }}");

    // Healthy, each way.
    let report = examine(&home(&kafka.address(), "", ""), true);
    for check in ["kafka.connection", "kafka.tls", "kafka.sasl", "kafka.version", "kafka.acls", "log", "clock.log"] {
        expect(&report, check, "ok", "", "");
    }
    expect(&report, "kafka.version", "ok", "Kafka 4.0 or later", "");
    let report = examine(&home(&kafka.tls_address(), &tls(&format!("{ca}, {own}")), ""), true);
    expect(&report, "kafka.tls", "ok", "trusted", "");
    // The broker alone knows what it makes of the certificate's name.
    expect(&report, "kafka.acls", "warn", "certificate", "principal");
    let inner = format!(", tls = {{ {ca} }}");
    let report = examine(&home(&kafka.sasl_tls_address(), &sasl("scram-sha-512", &inner), PASSWORD), true);
    expect(&report, "kafka.sasl", "ok", "takes the password", "");

    // Broken, one thing each.
    let broken = [
        (kafka.address(), tls(&ca), "kafka.tls", "does not encrypt", "encrypted listener"),
        (kafka.tls_address(), String::new(), "kafka.tls", "speaks TLS", "kind = \"tls\""),
        (kafka.sasl_tls_address(), sasl("plain", ""), "kafka.tls", "speaks TLS", "tls = {}"),
        (kafka.sasl_tls_address(), sasl("plain", ", tls = {}"), "kafka.tls", "not trusted", "`ca`"),
        (kafka.tls_address(), tls(&ca), "kafka.tls", "want a certificate", "`cert` and `key`"),
        (kafka.tls_address(), tls("ca = \"/no/such.pem\""), "kafka.tls", "/no/such.pem", "path"),
        (kafka.sasl_address(), String::new(), "kafka.sasl", "wants a login", "kind = \"sasl\""),
        (kafka.address(), sasl("plain", ""), "kafka.sasl", "takes no login", "SASL listener"),
    ];
    for (address, security, check, says, next) in broken {
        let report = examine(&home(&address, &security, PASSWORD), false);
        expect(&report, check, "fail", says, next);
        expect(&report, "kafka.connection", "ok", "", "");
    }
    for mechanism in ["plain", "scram-sha-256"] {
        let report = examine(&home(&kafka.sasl_address(), &sasl(mechanism, ""), "guessed"), false);
        expect(&report, "kafka.sasl", "fail", USER, "the secret `KAFKA`");
        expect(&report, "kafka.connection", "ok", "", "");
        assert!(!report.to_string().contains("guessed"), "{report:#}");
    }
}

#[test]
fn a_port_where_something_else_listens_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let cli = home(&address, "", "");
    let report = examine(&cli, false);
    let all = report["findings"].as_array().unwrap();
    let failed: Vec<&str> = all.iter().filter(|f| f["level"] == "fail").map(|f| f["says"].as_str().unwrap()).collect();
    assert!(failed.iter().any(|says| says.contains("does not answer as Kafka does")), "{report:#}");
    let report = examine(&home("no-such-host.invalid:9092", "", ""), false);
    expect(&report, "kafka.connection", "fail", "no address", "brokers");
}

#[test]
fn agents_without_their_topic_without_a_host_and_far_behind_are_named() {
    let Some(kafka) = Kafka::shared() else { return };
    let cli = home(&kafka.address(), "", "");
    let Some(()) = cli.install("relay") else { return };
    let manifest = std::fs::read_to_string(cli.folder().join("wasmill.toml")).unwrap();
    let reads = manifest.split_once("reads = [\"").unwrap().1.split('"').next().unwrap().to_owned();
    let report = examine(&cli, true);
    expect(&report, "agent relay", "warn", &reads, &format!("wasmill topic create {reads}"));

    cli.run(&["topic", "create", &reads, "--partitions", "2"]).expect_code(0);
    expect(&examine(&cli, true), "agent relay", "ok", "nothing waits", "");
    let lines = "x\n".repeat(10_001);
    cli.run_with_input(&["record", "send", &reads], lines.as_bytes()).expect_code(0);
    let (level, says, next) = finding(&examine(&cli, true), "agent relay");
    assert!(level == "warn" && says.contains("10001 records wait") && says.contains("no host"), "{says}");
    assert!(next.contains("wasmill up"), "{next}");

    // The clock of somebody who writes is ahead.
    let later = wasmill::store::now_ms() + 3_600_000;
    let client = wasmill_tests::parts::require(wasmill_tests::parts::kafka_python());
    let Some(python) = client else { return };
    let script = "import sys\nfrom kafka import KafkaProducer\np = KafkaProducer(bootstrap_servers=sys.argv[1])\n\
                  p.send(sys.argv[2], value=b'x', partition=0, timestamp_ms=int(sys.argv[3])).get(60)\np.close()\n";
    let mut command = std::process::Command::new(python);
    let sent = command.args(["-c", script, &kafka.address(), &reads, &later.to_string()]).status().unwrap();
    assert!(sent.success());
    expect(&examine(&cli, true), "clock.log", "warn", "from the future", "chrony");
}
