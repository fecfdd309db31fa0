//! The forge on a machine without bubblewrap. It is looked for on PATH and in /usr/bin, so what is there is hidden from
//! the binary, in a mount namespace that bubblewrap itself makes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{Missing, require};

/// Every bubblewrap that the binary could find.
pub fn bubblewraps() -> Result<BTreeSet<PathBuf>, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/bin")]);
    let found: BTreeSet<PathBuf> = folders.filter_map(|folder| folder.join("bwrap").canonicalize().ok()).collect();
    let reason = "`bwrap` is not on the path; run `cargo xtask setup`".into();
    if found.is_empty() { Err(Missing { part: "bubblewrap", reason }) } else { Ok(found) }
}

/// Runs a command where no file of these is there; a device that holds nothing is no program.
pub fn without(hidden: &BTreeSet<PathBuf>, cli: &Cli, arguments: &[&str]) -> (Option<i32>, String, String) {
    let own = cli.command(arguments);
    let bwrap: &Path = hidden.first().unwrap();
    let mut command = Command::new(bwrap);
    command.args(["--dev-bind", "/", "/"]);
    for file in hidden {
        command.args(["--dev-bind", "/dev/null"]).arg(file);
    }
    command.arg("--").arg(own.get_program()).args(own.get_args()).current_dir(cli.folder());
    let output = command.env_remove("WASMILL_HOME").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_a_sandbox_nothing_is_built_and_the_answer_says_what_to_install() {
    let Some(bubblewraps) = require(bubblewraps()) else { return };
    let cli = Cli::new();
    cli.write("sum.rs", include_str!("../../forge/tools/sum.rs"));
    cli.run(&["forge", "prepare"]).expect_code(0);
    for verb in [&["forge", "build", "sum.rs"][..], &["forge", "prepare"]] {
        let (code, stdout, stderr) = without(&bubblewraps, &cli, verb);
        assert_eq!((code, stdout.as_str()), (Some(5), ""), "{stderr}");
        let problem: Value = serde_json::from_str(&stderr).unwrap();
        assert_eq!(problem["code"], "sandbox.missing");
        assert!(problem["next"].as_str().unwrap().contains("bubblewrap"), "{problem}");
    }
    assert_eq!(cli.run(&["plugin", "list"]).json(), json!([]));
    assert_eq!(cli.run(&["tool", "list"]).json(), json!([]));

    // With it, the same home and the same source give a tool.
    assert_eq!(cli.run(&["forge", "build", "sum.rs"]).json()["outcome"], "callable");
}
