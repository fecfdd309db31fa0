//! What `wasmill doctor` finds of the machine and of the database: without a sandbox, without a compiler, on a full
//! disk, with a wrong password.

use std::process::Command;

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{Missing, require};
use wasmill_tests::postgres::Postgres;

use super::doctor::{examine, expect};
use super::unwalled::{bubblewraps, without};

#[test]
fn without_a_sandbox_a_compiler_or_a_kit_it_says_how_to_get_them() {
    let cli = Cli::new();
    cli.write("home/host.toml", "[forge]\nrustc = \"/no/such/rustc\"\n");
    expect(&examine(&cli, true), "compiler", "warn", "/no/such/rustc", "rustup");
    let empty = cli.folder().join("kits");
    std::fs::create_dir(&empty).unwrap();
    cli.write("home/host.toml", format!("[forge]\nkits = \"{}\"\n", empty.display()));
    expect(&examine(&cli, true), "kit", "warn", "", "wasmill forge");
    let Some(bubblewraps) = require(bubblewraps()) else { return };
    let (code, stdout, stderr) = without(&bubblewraps, &cli, &["doctor"]);
    assert_eq!(code, Some(0), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    expect(&report, "sandbox", "warn", "no tools can be made", "bubblewrap");
}

#[test]
fn a_path_without_programs_is_no_reason_to_fail() {
    let cli = Cli::new();
    let mut command = cli.command(&["doctor"]);
    command.env("PATH", "/no/programs").env("HOME", "/no/home").env_remove("CARGO_HOME").env_remove("RUSTUP_HOME");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    expect(&report, "compiler", "warn", "no tools can be made", "");
    expect(&report, "home", "ok", "", "");
}

#[test]
fn a_disk_that_is_nearly_full_fails() {
    let cli = Cli::empty();
    // Of 32 MiB, which is less than a host should have.
    let mount = "mount -t tmpfs -o size=32m none . && exec \"$@\"";
    let in_mount = |command: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--map-root-user", "sh", "-c", mount, "sh"]).args(command);
        unshare.current_dir(cli.folder()).env_remove("WASMILL_HOME").output()
    };
    let possible = in_mount(&["true"]).is_ok_and(|output| output.status.success());
    let reason = "`unshare --mount --map-root-user` can't mount a tmpfs here".to_owned();
    let Some(()) = require(if possible { Ok(()) } else { Err(Missing { part: "file system of its own", reason }) })
    else {
        return;
    };
    let binary = wasmill_tests::binary::wasmill().display().to_string();
    let script =
        format!("cd \"$PWD\" && {binary} --home ./home init >&2 && {binary} --home ./home --output json doctor");
    let output = in_mount(&["sh", "-c", &script]).unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    expect(&report, "disk", "fail", "MiB free", "Free some space");
}

#[test]
fn postgresql_is_asked_for_the_time_and_its_refusals_are_named() {
    let Some(postgres) = Postgres::start() else { return };
    let cli = Cli::new();
    let with = |url: &str| cli.write("home/host.toml", format!("[store]\nurl = \"{url}\"\n"));
    with(&postgres.url());
    let report = examine(&cli, true);
    expect(&report, "database", "ok", "PostgreSQL answers in", "");
    expect(&report, "clock.database", "ok", "ms of this machine's", "");
    with(&postgres.url().replacen("for-the-tests-only", "guessed", 1));
    let report = examine(&cli, false);
    expect(&report, "database", "fail", "password authentication failed", "store.url");
    assert!(!report.to_string().contains("guessed"), "{report:#}");
    with(&format!("{}nowhere", postgres.url().strip_suffix("postgres").unwrap()));
    expect(&examine(&cli, false), "database", "fail", "nowhere", "store.url");
}
