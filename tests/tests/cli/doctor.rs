//! What `wasmill doctor` finds in healthy and in broken homes.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::server::free_port;
use wasmill_tests::up::Up;

/// What it says, in a home where everything that a host needs is there or not.
pub fn examine(cli: &Cli, healthy: bool) -> Value {
    let ended = cli.run(&["doctor"]).expect_code(i32::from(!healthy));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["healthy"], healthy, "{report:#}");
    if !healthy {
        let problem: Value = serde_json::from_str(&ended.stderr).unwrap();
        assert_eq!(problem["code"], "doctor.failed");
    }
    report
}

/// Level, words and advice of one check.
pub fn finding(report: &Value, check: &str) -> (String, String, String) {
    let all = report["findings"].as_array().unwrap();
    let found = all.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{check}: {report:#}"));
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("level"), text("says"), text("next"))
}

#[track_caller]
pub fn expect(report: &Value, check: &str, level: &str, says: &str, next: &str) {
    let found = finding(report, check);
    assert!(found.0 == level && found.1.contains(says) && found.2.contains(next), "{found:?}");
}

#[test]
fn a_new_home_lacks_nothing_that_a_host_needs_and_nothing_is_made_by_looking() {
    let cli = Cli::new();
    let report = examine(&cli, true);
    for check in ["home", "host.toml", "permissions.toml", "secrets.toml", "keys", "trust.toml", "registry", "database"]
    {
        expect(&report, check, "ok", "", "");
    }
    expect(&report, "log", "ok", "first start", "");
    expect(&report, "host", "ok", "none runs", "");
    expect(&report, "model", "ok", "none configured", "");
    assert_eq!(std::fs::read_dir(cli.home().join("log")).unwrap().count(), 0);
    assert!(!cli.home().join("store.db").exists());
    let human = cli.run(&["doctor", "--output", "human"]).expect_code(0);
    assert_eq!(human.stdout.lines().count(), report["findings"].as_array().unwrap().len());
}

#[test]
fn without_a_home_it_says_so_and_looks_at_the_machine() {
    let cli = Cli::empty();
    let report = examine(&cli, true);
    expect(&report, "home", "warn", "no Wasmill home", "wasmill init");
    for check in ["disk", "vm.max_map_count", "sandbox", "compiler"] {
        finding(&report, check);
    }
    assert!(!cli.home().exists());
}

#[test]
fn files_with_mistakes_are_named_with_their_lines() {
    let cli = Cli::new();
    cli.write("home/host.toml", "[store]\n\n[stroe]\n");
    cli.write("home/permissions.toml", "[[row]]\nprinciple = \"agent:a\"\n");
    cli.write("home/trust.toml", "[[key]]\nid = \"0123\"\n");
    let report = examine(&cli, false);
    expect(&report, "host.toml", "fail", "line 3", "");
    expect(&report, "permissions.toml", "fail", "line 2", "");
    expect(&report, "trust.toml", "fail", "line 2", "");
    expect(&report, "registry", "ok", "", "");
}

#[test]
fn secrets_that_others_can_read_and_a_missing_registry_fail() {
    let cli = Cli::new();
    for file in ["keys/admin.key", "secrets.toml"] {
        std::fs::set_permissions(cli.home().join(file), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    std::fs::remove_dir_all(cli.home().join("registry")).unwrap();
    let report = examine(&cli, false);
    expect(&report, "keys", "fail", "admin.key", "chmod 600");
    expect(&report, "secrets.toml", "fail", "644", "chmod 600");
    expect(&report, "registry", "fail", "", "");
}

#[test]
fn what_counts_no_longer_is_a_warning() {
    let cli = Cli::new();
    let path = cli.home().join("trust.toml");
    let trust = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, trust.replace("name = \"admin\"", "name = \"admin\"\nrevoked = true")).unwrap();
    cli.write("home/host.toml", "[model]\nurl = \"http://localhost/v1\"\nmodel = \"m\"\napi_key_secret = \"KEY\"\n");
    let report = examine(&cli, true);
    expect(&report, "trust.toml", "warn", "admin", "wasmill key new");
    expect(&report, "model", "warn", "no secret `KEY`", "secrets.toml");
}

#[test]
fn a_broker_and_a_database_that_do_not_answer_fail() {
    let cli = Cli::new();
    let (kafka, postgres) = (free_port().unwrap(), free_port().unwrap());
    cli.write(
        "home/host.toml",
        format!(
            "[streams]\nbrokers = [\"127.0.0.1:{kafka}\"]\n\
             [store]\nurl = \"postgres://somebody:secret@127.0.0.1:{postgres}/nothing\"\n"
        ),
    );
    let report = examine(&cli, false);
    expect(&report, "kafka.connection", "fail", &format!("127.0.0.1:{kafka}"), "Start the broker");
    expect(&report, "log", "fail", &kafka.to_string(), "");
    expect(&report, "database", "fail", "", "");
    assert!(!report.to_string().contains("somebody:secret"), "{report:#}");
    let log = finding(&report, "log");
    assert!(!log.2.is_empty(), "{log:?}");
}

#[test]
fn a_running_host_is_asked_and_a_stranger_on_the_log_is_noticed() {
    let cli = Cli::new();
    let up = Up::start(&cli);
    let report = examine(&cli, true);
    expect(&report, "host", "ok", "runs, version", "");
    expect(&report, "log", "ok", "in use by the running host", "");
    drop(up);

    let home = wasmill::home::Home::open(&cli.home()).unwrap();
    let config = wasmill::streams::embedded::EmbeddedConfig::default();
    let log = wasmill::streams::embedded::Embedded::open(&home.log(), config).unwrap();
    expect(&examine(&cli, false), "log", "fail", "in use by another process", "");
    drop(log);
    expect(&examine(&cli, true), "log", "ok", "embedded, 0 topics", "");
}
