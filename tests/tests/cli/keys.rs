use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use wasmill_tests::binary::Cli;

fn listed(cli: &Cli, name: &str) -> Value {
    let keys = cli.run(&["key", "list"]).json();
    keys.as_array().unwrap().iter().find(|key| key["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn a_new_key_is_private_and_trusted_in_its_roles() {
    let cli = Cli::new();
    let made = cli.run(&["key", "new", "alice", "--role", "publisher", "--role", "admin"]).json();
    let mode = std::fs::metadata(made["file"].as_str().unwrap()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let listed = listed(&cli, "alice");
    assert_eq!(listed["id"], made["id"]);
    assert_eq!(listed["roles"], serde_json::json!(["publisher", "admin"]));
    assert_eq!(listed["file"], made["file"]);
}

#[test]
fn a_key_can_be_made_without_being_trusted() {
    let cli = Cli::new();
    cli.run(&["key", "new", "spare", "--role", "publisher", "--no-trust"]).json();
    assert_eq!(listed(&cli, "spare")["roles"], serde_json::json!([]));
}

#[test]
fn a_key_can_expire() {
    let cli = Cli::new();
    cli.run(&["key", "new", "alice", "--role", "publisher", "--expires", "2020-01-31T12:00:00Z"]).json();
    assert_eq!(listed(&cli, "alice")["expires"], "2020-01-31T12:00:00Z");
    cli.run(&["key", "new", "bob", "--role", "publisher", "--expires", "tomorrow"]).expect_code(2);
}

#[test]
fn a_key_is_never_overwritten_and_its_name_stays_in_the_folder() {
    let cli = Cli::new();
    let before = std::fs::read(cli.home().join("keys/admin.key")).unwrap();
    assert_eq!(cli.run(&["key", "new", "admin", "--role", "admin"]).problem(1).code, "key.exists");
    assert_eq!(std::fs::read(cli.home().join("keys/admin.key")).unwrap(), before);
    assert_eq!(cli.run(&["key", "new", "../admin", "--role", "admin"]).problem(2).code, "name.invalid");
}

#[test]
fn what_the_admin_wrote_into_the_trust_file_stays() {
    let cli = Cli::new();
    let path = cli.home().join("trust.toml");
    let before = std::fs::read_to_string(&path).unwrap() + "# my own words, without an end of line";
    std::fs::write(&path, &before).unwrap();
    cli.run(&["key", "new", "alice", "--role", "publisher"]).json();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with(&before));
    assert_eq!(listed(&cli, "alice")["name"], "alice");
}
