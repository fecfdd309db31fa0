//! `wasmill permission`: the grid, the reasons, and the check of a file.

use wasmill_tests::binary::Cli;

use crate::plugins::component;

const MATRIX: &str = r#"privileged = ["http"]

[[row]]
principal = "agent:counter"
topics.read = ["orders"]
state = true

[[row]]
principal = "tool:upper"
http = [{ host = "*.example.com", methods = ["GET"] }]
limits = { memory_mib = 16 }
"#;

fn with_matrix(text: &str) -> Cli {
    let cli = Cli::new();
    std::fs::write(cli.home().join("permissions.toml"), text).unwrap();
    cli
}

#[test]
fn the_grid_has_the_rows_of_the_file_and_knows_privileged_columns() {
    let grid = with_matrix(MATRIX).run(&["permission", "matrix"]).json();
    assert_eq!(grid["privileged"], serde_json::json!(["http"]));
    let rows: Vec<_> = grid["rows"].as_array().unwrap().iter().map(|row| (&row["principal"], &row["line"])).collect();
    assert_eq!(rows, [(&"agent:counter".into(), &3.into()), (&"tool:upper".into(), &8.into())]);
}

#[test]
fn a_denied_action_is_explained_with_the_row_that_would_have_to_change() {
    let cli = with_matrix(MATRIX);
    let denied = cli.run(&["permission", "explain", "agent:counter", "topics.write", "payments"]).json();
    assert_eq!(denied["answer"]["allowed"], false);
    assert_eq!(
        denied["answer"]["text"],
        "agent:counter may not write topic payments: \
         add topics.write = [\"payments\"] to the row for \"agent:counter\" in permissions.toml (line 3)"
    );
    let allowed = cli.run(&["permission", "explain", "agent:counter", "topics.read", "orders"]).json();
    assert_eq!(
        (&allowed["answer"]["allowed"], &allowed["answer"]["text"]),
        (
            &true.into(),
            &"agent:counter may read topic orders: the row for \"agent:counter\" in permissions.toml (line 3) allows it"
                .into()
        )
    );
}

#[test]
fn an_installed_component_is_explained_with_what_it_asks_for() {
    let cli = with_matrix(MATRIX);
    cli.write("upper.wasm", component(""));
    cli.write(
        "wasmill.toml",
        "name = 'upper'\nversion = '1.0.0'\nkind = 'tool'\n[permissions]\n\
         http = [{ host = 'api.example.com', methods = ['*'] }]\ntools = ['other']\n",
    );
    cli.run(&["plugin", "sign", "upper.wasm"]).json();
    cli.run(&["plugin", "install", "upper.wasm"]).json();
    let explained = cli.run(&["permission", "explain", "tool:upper"]).json();
    assert_eq!((&explained["component"], &explained["awaits_approval"]), (&"upper@1.0.0".into(), &true.into()));
    let column = |word: &str| {
        let columns = explained["columns"].as_array().unwrap();
        columns.iter().find(|column| column["column"] == word).unwrap().clone()
    };
    assert_eq!(column("http")["allowed"], serde_json::json!(["GET api.example.com"]));
    assert_eq!(column("http")["privileged"], true);
    assert_eq!(column("tools")["allowed"], serde_json::json!([]), "asked for, and no row allows it");
    let memory = &explained["limits"][0];
    assert_eq!(
        (&memory["limit"], &memory["value"], &memory["origin"]["row"]["line"]),
        (&"memory_mib".into(), &16.into(), &8.into())
    );

    // An agent of that name is not installed: only the rows speak.
    assert_eq!(cli.run(&["permission", "explain", "agent:upper"]).json()["component"], serde_json::Value::Null);
}

#[test]
fn a_good_file_passes_the_check_and_a_bad_one_fails_it_with_the_line() {
    let cli = with_matrix(MATRIX);
    let checked = cli.run(&["permission", "check"]).json();
    assert_eq!((&checked["rows"], checked["revision"].as_str().unwrap().len()), (&2.into(), 12));

    cli.write("new.toml", MATRIX.replace("topics.read", "topic.read"));
    let problem = cli.run(&["permission", "check", "new.toml"]).problem(2);
    assert_eq!(problem.code, "matrix.unknown-key");
    assert!(problem.message.contains("line 5: unknown key `topic` in a row; did you mean `topics`?"), "{problem:?}");
    assert_eq!(cli.run(&["permission", "check", "missing.toml"]).problem(4).code, "file.io");

    std::fs::write(cli.home().join("permissions.toml"), "[[row]]\nprincipal = 'nobody'\n").unwrap();
    let problem = cli.run(&["permission", "matrix"]).problem(2);
    assert!(problem.message.contains("line 2") && !problem.next.is_empty(), "{problem:?}");
}

#[test]
fn whoever_asks_about_nobody_or_nothing_is_told_so() {
    let cli = with_matrix(MATRIX);
    cli.run(&["permission", "explain", "nobody"]).expect_code(2);
    cli.run(&["permission", "explain", "agent:a", "topics.eat", "x"]).expect_code(2);
    let problem = cli.run(&["permission", "explain", "agent:a", "topics.read"]).problem(2);
    assert_eq!(problem.code, "permission.action");
}

#[test]
fn the_matrix_is_exported_as_rules_of_kafka() {
    let cli = Cli::new();
    cli.allow("[[row]]\nprincipal = \"agent:a\"\ntopics.read = [\"logs.*.raw\"]\n");
    let problem = cli.run(&["permission", "export", "--kafka"]).problem(2);
    assert!(problem.code == "permission.kafka-user" && problem.next.contains("--principal"), "{problem:?}");
    cli.run(&["permission", "export"]).problem(2);
    assert_eq!(cli.run(&["permission", "export", "--kafka", "--principal", "mill"]).problem(2).code, problem.code);

    let export = ["permission", "export", "--kafka", "--principal", "User:CN=it's 50% & more"];
    let reply = cli.run(&export).json();
    assert_eq!(reply["principal"], "User:CN=it's 50% & more");
    let text = reply["notes"].to_string();
    assert!(text.contains("logs.*.raw") && text.contains("--clients"), "what Kafka can't say is said: {text}");
    assert!(!reply["rules"].to_string().contains("\"name\":\"*\""), "the row for the command line is left out");
    let with_clients = cli.run(&[&export[..], &["--clients"]].concat()).json();
    assert!(with_clients["rules"].to_string().contains("\"name\":\"*\""));

    let ended = cli.run(&[&export[..], &["--output", "human"]].concat()).expect_code(0);
    let commands = reply["commands"].as_array().unwrap();
    let printed: Vec<&str> = ended.stdout.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(printed, commands.iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>());

    // Where the host logs in by a name, that is its name.
    let sasl = "[streams]\nbrokers = [\"h:1\"]\nsecurity = { kind = \"sasl\", mechanism = \"plain\", username = \"mill\", \
                password_env = \"X\" }\n";
    cli.write("home/host.toml", sasl);
    let reply = cli.run(&["permission", "export", "--kafka"]).json();
    assert_eq!(reply["principal"], "User:mill");
    assert!(reply["commands"][0].as_str().unwrap().starts_with("kafka-acls.sh --bootstrap-server h:1 --add"));
}
