//! What a host says that can't start, and what it goes on with when a file changes under it.

use wasmill::home::{Home, open_streams};
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use super::feed::UPPER_MAY;

#[test]
fn a_second_host_on_a_home_is_refused_before_its_agents_begin() {
    let Some(kafka) = Kafka::shared() else { return };
    for streams in [String::new(), format!("[streams]\nbrokers = [\"{}\"]\n", kafka.address())] {
        let cli = Cli::new();
        cli.write("home/host.toml", streams);
        // No row lets it read, so a host whose agents begin says so.
        let Some(()) = cli.install("upper") else { return };
        let first = Up::start(&cli);
        cli.status_until(|status| status["agents"][0]["state"] == "waiting");
        assert!(first.log().contains("the agent waits"), "{}", first.log());
        let second = cli.run(&["up", "--output", "human"]).expect_code(1);
        assert!(second.stderr.contains("error[host.running]") && second.stderr.contains("Stop it first"), "{second:?}");
        assert!(!second.stderr.contains("the agent waits"), "{second:?}");
        assert_eq!(second.stdout, "");
        cli.run(&["status"]).expect_code(0);
        drop(first);
        drop(Up::start(&cli));
    }
}

#[tokio::test]
async fn a_host_does_not_share_its_embedded_log_with_another_process() {
    let cli = Cli::new();
    let home = Home::open(&cli.home()).unwrap();
    let streams = open_streams(&home, &home.config().unwrap().streams).await.unwrap();
    let ended = cli.run(&["up", "--output", "human"]).expect_code(5);
    assert!(ended.stderr.contains("error[log.in-use]") && ended.stderr.contains("in use by another"), "{ended:?}");
    // It leaves nothing behind that looks like a host.
    assert!(!home.socket().exists());
    drop(streams);
}

#[test]
fn of_hosts_that_start_at_the_same_moment_one_comes_up_and_can_be_asked() {
    let cli = Cli::new();
    let all: Vec<Up> = (0..4).map(|_| Up::spawn(&cli)).collect();
    let log = || all[0].log();
    let one = until(PATIENCE, || log().matches("host.running").count() == 3 && log().contains("\"host\":\"up\""));
    assert!(one, "{}", log());
    cli.run(&["topic", "create", "words"]).expect_code(0);
}

#[test]
fn a_wrong_line_in_the_settings_is_named() {
    let cli = Cli::new();
    cli.write("home/host.toml", "[streams]\n\nbroker = [\"localhost:9092\"]\n");
    let ended = cli.run(&["up"]).expect_code(2);
    assert!(ended.stderr.contains("host.toml`, line 3") && ended.stderr.contains("broker"), "{ended:?}");
    assert_eq!(ended.stdout, "");

    let cli = Cli::new();
    cli.write("home/permissions.toml", "[[row]]\nprincipal = \"agent:upper\"\ntopic.read = [\"lower\"]\n");
    let ended = cli.run(&["up"]).expect_code(2);
    assert!(ended.stderr.contains("permissions.toml") && ended.stderr.contains("line 3"), "{ended:?}");
}

#[test]
fn a_typo_in_the_permissions_of_a_running_host_changes_nothing_and_is_shown_with_its_line() {
    let cli = Cli::new();
    cli.allow(UPPER_MAY);
    let Some(()) = cli.install("upper") else { return };
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let _up = Up::start(&cli);
    let before = cli.status_until(|status| status["agents"][0]["state"] == "running");
    let good = std::fs::read_to_string(cli.home().join("permissions.toml")).unwrap();
    cli.write("home/permissions.toml", format!("{good}topics.raed = []\n"));
    let line = format!("line {}", good.lines().count() + 1);
    let shown = cli.status_until(|status| status["permissions"]["rejected"].is_string());
    assert!(shown["permissions"]["rejected"].as_str().unwrap().contains(&line), "{shown:#}");
    assert_eq!(shown["permissions"]["revision"], before["permissions"]["revision"]);
    let human = cli.run(&["status", "--output", "human"]).expect_code(0);
    assert!(human.stdout.contains("the old one stays") && human.stdout.contains(&line), "{human:?}");

    cli.run(&["record", "send", "lower", "still here"]).expect_code(0);
    cli.status_until(|status| status["agents"][0]["records"] == 1);
    let tail = cli.run(&["record", "tail", "upper", "--no-follow"]).json_lines();
    assert_eq!(tail[0]["value"], "STILL HERE");

    cli.write("home/permissions.toml", good);
    cli.status_until(|status| status["permissions"]["rejected"].is_null());
}
