//! `wasmill top`, as a program reads it and as a person sees it.

use serde_json::Value;
use wasmill_tests::binary::{Cli, wasmill};
use wasmill_tests::terminal::Terminal;
use wasmill_tests::up::Up;

const UPPER_MAY: &str = "[[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n";

/// A host with `upper` at work, which has handled three records.
fn at_work() -> Option<(Cli, Up)> {
    let cli = Cli::new();
    cli.allow(UPPER_MAY);
    cli.install("upper")?;
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let up = Up::start(&cli);
    cli.run_with_input(&["record", "send", "lower"], b"a\nb\nc\n").expect_code(0);
    cli.status_until(|status| status["agents"][0]["records"] == 3);
    Some((cli, up))
}

#[test]
fn without_a_terminal_one_reading_is_printed() {
    let Some((cli, _up)) = at_work() else { return };
    let view = cli.run(&["top"]).json();
    let agent: &Value = &view["agents"][0];
    assert_eq!((&agent["agent"], &agent["state"], &agent["records"]), (&"upper".into(), &"running".into(), &3.into()));
    assert!(agent["memory_bytes"].as_u64().unwrap() > 0 && agent["partitions"] == 1, "{agent:#}");
    assert_eq!((&view["host"]["running"], &view["host"]["waiting"]), (&1.into(), &0.into()));
    let text = cli.run(&["top", "--output", "human"]).expect_code(0).stdout;
    let line: Vec<&str> = text.lines().find(|line| line.starts_with("upper")).unwrap().split_whitespace().collect();
    assert_eq!((line[4], *line.last().unwrap()), ("3", "running"), "{text}");
    assert!(!text.contains("q quit"), "{text}");
}

#[test]
fn without_a_host_it_says_how_to_start_one() {
    let problem = Cli::new().run(&["top"]).problem(5);
    assert_eq!(problem.code, "host.none");
    assert!(problem.next.contains("wasmill up"), "{problem:?}");
}

#[test]
fn a_person_sees_agents_and_leaves_with_q() {
    let Some((cli, up)) = at_work() else { return };
    let mut command = std::process::Command::new(wasmill());
    command.arg("--home").arg(cli.home()).arg("top");
    let mut terminal = Terminal::start(command, 180, 20);
    // The other screen, a frame with the agent in it, and the keys.
    terminal.expect("\x1b[?1049h");
    terminal.expect("upper");
    terminal.expect("running");
    terminal.expect("q quit");
    terminal.press("p");
    terminal.expect("paused");
    terminal.press("p");
    // What happens is seen without a key.
    cli.run(&["record", "send", "lower", "d"]).expect_code(0);
    terminal.expect("  4  ");
    // It outlives the host, and says that it is gone.
    drop(up);
    terminal.expect("the host stopped answering");
    terminal.press("q");
    assert!(terminal.wait().success());
    terminal.expect("\x1b[?1049l");
    terminal.expect("\x1b[?25h");
}
