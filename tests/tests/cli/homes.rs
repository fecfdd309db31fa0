use std::os::unix::fs::PermissionsExt;

use wasmill_tests::binary::Cli;

#[test]
fn a_home_is_made_once_with_a_key_for_each_role() {
    let cli = Cli::empty();
    let made = cli.run(&["init"]).json();
    let names: Vec<&str> = made["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["publisher", "forge", "admin"]);
    let mode = std::fs::metadata(cli.home()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    assert_eq!(cli.run(&["init"]).problem(1).code, "home.exists");
}

#[test]
fn without_a_home_every_command_says_how_to_make_one() {
    let cli = Cli::empty();
    for command in [&["key", "list"][..], &["plugin", "list"], &["topic", "list"], &["record", "tail", "words"]] {
        let problem = cli.run(command).problem(4);
        assert_eq!(problem.code, "home.missing");
        assert!(problem.next.contains("wasmill init"), "{problem:?}");
    }
}

#[test]
fn wrong_arguments_end_with_two() {
    let cli = Cli::new();
    for arguments in [
        &["topics"][..],
        &["topic"],
        &["topic", "create"],
        &["topic", "create", "words", "--partitions", "0"],
        &["record", "send", "words", "--header", "no-value"],
        &["record", "tail", "words", "--from", "yesterday"],
        &["plugin", "remove", "../x"],
        &["key", "new", "alice"],
        &["key", "new", "alice", "--role", "king"],
    ] {
        assert_ne!(cli.run(arguments).problem(2).code, "");
    }
}

#[test]
fn a_typo_in_a_file_is_named_with_its_line() {
    let cli = Cli::new();
    cli.write("home/host.toml", "[streams]\nrecord_bytes = 5\n");
    let problem = cli.run(&["topic", "list"]).problem(2);
    assert_eq!(problem.code, "home.document");
    assert!(problem.message.contains("host.toml`, line 2"), "{problem:?}");

    let cli = Cli::new();
    cli.write("home/trust.toml", "[[key]]\nid = \"0123\"\n");
    let problem = cli.run(&["key", "list"]).problem(2);
    assert!(problem.message.contains("trust.toml`, line 2"), "{problem:?}");
}

#[test]
fn for_a_person_there_is_text_with_the_next_step() {
    let cli = Cli::empty();
    let ended = cli.run(&["key", "list", "--output", "human"]).expect_code(4);
    assert!(ended.stderr.starts_with("error[home.missing]: ") && ended.stderr.contains("next: "), "{ended:?}");
}

#[test]
fn the_home_can_come_from_the_environment() {
    let cli = Cli::new();
    let mut command = std::process::Command::new(wasmill_tests::binary::wasmill());
    let output = command.args(["key", "list"]).env("WASMILL_HOME", cli.home()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
